// dx[n, h, w, c] = Σ dy / (pixels counted) over the windows that hold the pixel.
// One thread computes one dx. Gathering instead of scattering keeps the order of the sum, and needs no atomics where
// windows overlap.
override COUNT_PAD: u32 = 1u;
#import "index"
#import "single"
#import "window"

@group(0) @binding(0) var<storage, read> dy: array<V>;       // [N, P, Q, C]
@group(0) @binding(1) var<storage, read_write> dx: array<V>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

// How many of `size` pixels from `start` on, counted in the padded picture, lie in the picture.
fn inside(start: u32, size: u32, pad: u32, length: u32) -> u32 {
  return min(start + size, pad + length) - max(start, pad);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.N * p.H * p.W * p.C) { return; }
  let o = holdersOf(i);
  var sum = V();
  for (var a = o.p0; a < o.p1; a++) {
    for (var b = o.q0; b < o.q1; b++) {
      var count = p.R * p.S;
      if (COUNT_PAD == 0u) {
        count = inside(a * p.strideH, p.R, p.padH, p.H) * inside(b * p.strideW, p.S, p.padW, p.W);
      }
      sum += dy[o.start + (a * p.Q + b) * p.C] / f32(count);
    }
  }
  dx[i] = sum;
}
