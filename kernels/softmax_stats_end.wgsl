// The maximum m and Σ exp(x - m) of a row from those of its slots, in order.
// One thread computes one row.
#import "index"
#import "scalar"
#import "special"

struct Params { rows: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> slotStats: array<vec2f>;   // [rows, slots], maximum and sum
@group(0) @binding(1) var<storage, read_write> stats: array<vec2f>; // [rows]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.rows) { return; }
  var most = LOWEST;
  for (var s = 0u; s < p.slots; s++) { most = max(most, slotStats[i * p.slots + s].x); }
  var sum = 0.0;
  for (var s = 0u; s < p.slots; s++) {
    let part = slotStats[i * p.slots + s];
    sum += part.y * exp(part.x - most);
  }
  stats[i] = vec2f(most, sum);
}
