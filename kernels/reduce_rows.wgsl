// y[a, s] = scale · f over r of x[a, r], s a slot of `chunk` fours of the row: one thread a slot, through neighbouring fours.
// For software, on which it does not matter that neighbouring threads read far apart. R divides by 4.
override OP: u32 = 0u; // 0 sum, 1 max
#import "index"

struct Params { A: u32, R: u32, S: u32, chunk: u32, scale: f32 } // R in fours

@group(0) @binding(0) var<storage, read> x: array<vec4f>;     // [A, R]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [A, S]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let slot = groupOf(group, groups) * 64u + lane;
  if (slot >= p.A * p.S) { return; }
  let row = slot / p.S * p.R;
  let first = row + slot % p.S * p.chunk;
  let end = min(first + p.chunk, row + p.R);
  var result = x[first];
  for (var i = first + 1u; i < end; i++) {
    let v = x[i];
    if (OP == 0u) { result += v; } else { result = select(result, v, v > result); } // cheaper than max
  }
  let two = select(result.xy + result.zw, max(result.xy, result.zw), OP == 1u);
  y[slot] = p.scale * select(two.x + two.y, max(two.x, two.y), OP == 1u);
}
