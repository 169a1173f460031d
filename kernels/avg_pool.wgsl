// y[n, p, q, c] = the mean of x in the window. Padding counts as zeros or, without COUNT_PAD, not at all.
// One thread computes one y; neighbouring threads own neighbouring channels.
override COUNT_PAD: u32 = 1u;
#import "index"
#import "single"
#import "window"

@group(0) @binding(0) var<storage, read> x: array<V>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>; // [N, P, Q, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.N * p.P * p.Q * p.C) { return; }
  let w = windowOf(i);
  var sum = V();
  for (var r = w.r0; r < w.r1; r++) {
    for (var s = w.s0; s < w.s1; s++) { sum += x[inWindow(w, r, s)]; }
  }
  y[i] = sum / f32(select((w.r1 - w.r0) * (w.s1 - w.s0), p.R * p.S, COUNT_PAD == 1u));
}
