// y[n, p, q, c] = the mean of x in the window at (p·stride - pad, q·stride - pad), padding counted as zeros or, without
// COUNT_PAD, not at all: one thread an output. Neighbouring threads own neighbouring channels; what windows share comes
// from the cache. Compiled with V = vec4f where channels come in fours.
override COUNT_PAD: u32 = 1u;
#import "index"

alias V = f32;

struct Params {
  N: u32, H: u32, W: u32, C: u32, R: u32, S: u32, P: u32, Q: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<storage, read> x: array<V>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>; // [N, P, Q, C]
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
  var total = V();
  for (var r = r0; r < r1; r++) {
    for (var s = s0; s < s1; s++) { total += x[((image + u32(top + i32(r))) * p.W + u32(left + i32(s))) * p.C + c]; }
  }
  y[i] = total / f32(select((r1 - r0) * (s1 - s0), p.R * p.S, COUNT_PAD == 1u));
}
