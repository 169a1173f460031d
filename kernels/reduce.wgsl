// y[a, s, b] = scale · f over r of x[a, r, b], where s is a slot of the middle axis.
// One thread computes one y. `lanes` slots share a chunk and take its rows in turn, so that neighbouring threads read
// neighbouring memory even where B is small. A long reduction runs again over its slots.
#import "index"
#import "single"
#import "special"
#import "reduce"

struct Params { A: u32, R: u32, B: u32, S: u32, lanes: u32, chunk: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;       // [A, R, B]
@group(0) @binding(1) var<storage, read_write> y: array<V>; // [A, S, B]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.A * p.S * p.B) { return; }
  let s = i / p.B % p.S;
  let first = s / p.lanes * p.chunk + s % p.lanes;
  let end = min((s / p.lanes + 1u) * p.chunk, p.R);
  let start = i / (p.B * p.S) * p.R * p.B + i % p.B;
  var result = V();
  if (OP == 1u) { result = x[start + min(first, p.R - 1u) * p.B]; } // a slot without rows changes no maximum
  // Four rows a turn: a turn of a loop costs a software adapter as much as a load.
  let step = p.lanes * p.B;
  var at = start + first * p.B;
  var r = first;
  for (; r + 3u * p.lanes < end; r += 4u * p.lanes) {
    result = join(join(result, x[at]), join(x[at + step], join(x[at + 2u * step], x[at + 3u * step])));
    at += 4u * step;
  }
  for (; r < end; r += p.lanes) {
    result = join(result, x[at]);
    at += step;
  }
  y[i] = result * p.scale;
}
