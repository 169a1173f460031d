// y[n, p, q, c] = the largest x in the window at (p·stride - pad, q·stride - pad), and the first place in the window,
// row by row, that holds it: one thread an output. Padding is never read. Neighbouring threads own neighbouring
// channels; what windows share comes from the cache. Compiled with vec4 types where channels come in fours.
#import "index"

alias V = f32;
alias U = u32;

struct Params {
  N: u32, H: u32, W: u32, C: u32, R: u32, S: u32, P: u32, Q: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<storage, read> x: array<V>;           // [N, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;     // [N, P, Q, C]
@group(0) @binding(2) var<storage, read_write> place: array<U>; // [N, P, Q, C], row of the window · S + column
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.N * p.P * p.Q * p.C) { return; }
  let c = i % p.C;
  let image = i / (p.P * p.Q * p.C) * p.H;
  let top = i32(i / (p.Q * p.C) % p.P * p.strideH) - i32(p.padH);
  let left = i32(i / p.C % p.Q * p.strideW) - i32(p.padW);
  // The part of the window that lies in the picture; it is never empty.
  let r0 = u32(max(-top, 0));
  let s0 = u32(max(-left, 0));
  let r1 = u32(min(i32(p.R), i32(p.H) - top));
  let s1 = u32(min(i32(p.S), i32(p.W) - left));
  var most = x[((image + u32(top + i32(r0))) * p.W + u32(left + i32(s0))) * p.C + c];
  var best = U(r0 * p.S + s0);
  for (var r = r0; r < r1; r++) {
    for (var s = s0; s < s1; s++) {
      let v = x[((image + u32(top + i32(r))) * p.W + u32(left + i32(s))) * p.C + c];
      best = select(best, U(r * p.S + s), v > most);
      most = select(most, v, v > most);
    }
  }
  y[i] = most;
  place[i] = best;
}
