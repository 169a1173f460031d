// y[a, s, b] = scale · f over r of x[a, r, b], r in the s-th chunk of the middle axis: one thread an output.
// A long reduction runs twice: once into chunks, once over them. Neighbouring threads read neighbouring b.
override OP: u32 = 0u; // 0 sum, 1 max
#import "index"

struct Params { A: u32, R: u32, B: u32, S: u32, chunk: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [A, R, B]
@group(0) @binding(1) var<storage, read_write> y: array<f32>; // [A, S, B]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.A * p.S * p.B) { return; }
  let b = i % p.B;
  let s = (i / p.B) % p.S;
  let a = i / (p.B * p.S);
  let end = min((s + 1u) * p.chunk, p.R);
  var at = (a * p.R + s * p.chunk) * p.B + b;
  var total = select(0.0, x[at], OP == 1u);
  for (var r = s * p.chunk; r < end; r++) {
    let v = x[at];
    if (OP == 0u) { total += v; } else { total = max(total, v); }
    at += p.B;
  }
  y[i] = total * p.scale;
}
