// y = a where condition is not 0, else b, element by element: one thread an element.
#import "index"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> condition: array<f32>; // [length]
@group(0) @binding(1) var<storage, read> a: array<f32>;         // [length]
@group(0) @binding(2) var<storage, read> b: array<f32>;         // [length]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;   // [length]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i < p.length) { y[i] = select(b[i], a[i], condition[i] != 0.0); }
}
