// dx[n, h, w, c] = Σ dy over the windows that hold the pixel and chose it, row by row.
// One thread computes one dx. Gathering instead of scattering keeps the order of the sum, and needs no atomics where
// windows overlap.
#import "index"
#import "single"
#import "window"

@group(0) @binding(0) var<storage, read> place: array<U>;    // [N, P, Q, C], from max_pool
@group(0) @binding(1) var<storage, read> dy: array<V>;       // [N, P, Q, C]
@group(0) @binding(2) var<storage, read_write> dx: array<V>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.N * p.H * p.W * p.C) { return; }
  let o = holdersOf(i);
  var sum = V();
  for (var a = o.p0; a < o.p1; a++) {
    for (var b = o.q0; b < o.q1; b++) {
      let at = o.start + (a * p.Q + b) * p.C;
      let here = (o.h - a * p.strideH) * p.S + o.w - b * p.strideW;
      sum += select(V(), dy[at], place[at] == U(here));
    }
  }
  dx[i] = sum;
}
