// to = from, or to += from: one thread an element.
// Copies a gradient into the place kept for it, and adds the second and later contributions.
override ADD: u32 = 1u;
#import "index"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> source: array<f32>; // [length]
@group(0) @binding(1) var<storage, read_write> total: array<f32>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.length) { return; }
  if (ADD == 1u) { total[i] += source[i]; } else { total[i] = source[i]; }
}
