// y[a, s] = scale · f over r of x[a, r], where s is a slot of `chunk` vec4s of the row. R divides by 4.
// One thread computes one slot from neighbouring vec4s, for software, on which it does not matter that neighbouring
// threads read far apart.
#import "index"
#import "vec4"
#import "special"
#import "reduce"

struct Params { A: u32, R: u32, S: u32, chunk: u32, scale: f32 } // R in vec4s

@group(0) @binding(0) var<storage, read> x: array<V>;         // [A, R]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [A, S]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let slot = groupOf(group, groups) * 64u + lane;
  if (slot >= p.A * p.S) { return; }
  let row = slot / p.S * p.R;
  let first = row + slot % p.S * p.chunk;
  let end = min(first + p.chunk, row + p.R);
  var result = x[first];
  var i = first + 1u;
  // Four a turn: a turn of a loop costs as much as a load.
  for (; i + 3u < end; i += 4u) { result = join(join(result, x[i]), join(x[i + 1u], join(x[i + 2u], x[i + 3u]))); }
  for (; i < end; i++) { result = join(result, x[i]); }
  result = join(result, result.zwxy);
  y[slot] = p.scale * join(result, result.yxwz).x;
}
