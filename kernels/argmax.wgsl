// y[a, b] = the first r at which x[a, r, b] is largest.
// One thread computes one y and walks r in order; neighbouring threads own neighbouring b.
#import "index"
#import "single"
#import "special"

struct Params { A: u32, R: u32, B: u32 }

@group(0) @binding(0) var<storage, read> x: array<V>;       // [A, R, B]
@group(0) @binding(1) var<storage, read_write> y: array<U>; // [A, B]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.A * p.B) { return; }
  let start = (i / p.B) * p.R * p.B + i % p.B;
  var best = U();
  var most = x[start];
  for (var r = 1u; r < p.R; r++) {
    let v = x[start + r * p.B];
    let larger = beats(v, most);
    best = select(best, U(r), larger);
    most = select(most, v, larger);
  }
  y[i] = best;
}
