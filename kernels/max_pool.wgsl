// y[n, p, q, c] = the largest x in the window, and place = the first place in the window, row by row, that holds it.
// One thread computes one y; padding is never read.
#import "index"
#import "single"
#import "special"
#import "window"

@group(0) @binding(0) var<storage, read> x: array<V>;           // [N, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;     // [N, P, Q, C]
@group(0) @binding(2) var<storage, read_write> place: array<U>; // [N, P, Q, C], row of the window · S + column
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.N * p.P * p.Q * p.C) { return; }
  let w = windowOf(i);
  var most = x[inWindow(w, w.r0, w.s0)];
  var best = U(w.r0 * p.S + w.s0);
  for (var r = w.r0; r < w.r1; r++) {
    for (var s = w.s0; s < w.s1; s++) {
      let v = x[inWindow(w, r, s)];
      let larger = beats(v, most);
      best = select(best, U(r * p.S + s), larger);
      most = select(most, v, larger);
    }
  }
  y[i] = most;
  place[i] = best;
}
