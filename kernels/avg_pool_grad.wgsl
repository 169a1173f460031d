// dx[n, h, w, c] = Σ dy / (pixels counted) over the windows that hold the pixel: one thread a pixel and channel.
// Gathering instead of scattering keeps the order of the sum, and needs no atomics where windows overlap.
// Compiled with V = vec4f where channels come in fours.
override COUNT_PAD: u32 = 1u;
#import "index"

alias V = f32;

struct Params {
  N: u32, H: u32, W: u32, C: u32, R: u32, S: u32, P: u32, Q: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<V>;       // [N, P, Q, C]
@group(0) @binding(1) var<storage, read_write> dx: array<V>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

// How many of `size` pixels from `start` on, counted in the padded picture, lie in the picture.
fn inside(start: u32, size: u32, pad: u32, length: u32) -> u32 {
  return min(start + size, pad + length) - max(start, pad);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.N * p.H * p.W * p.C) { return; }
  let c = i % p.C;
  let image = i / (p.H * p.W * p.C) * p.P;
  let h = i / (p.W * p.C) % p.H + p.padH;
  let w = i / p.C % p.W + p.padW;
  // The windows that hold this pixel.
  let p0 = (max(h, p.R - 1u) - (p.R - 1u) + p.strideH - 1u) / p.strideH;
  let q0 = (max(w, p.S - 1u) - (p.S - 1u) + p.strideW - 1u) / p.strideW;
  let p1 = min(h / p.strideH + 1u, p.P);
  let q1 = min(w / p.strideW + 1u, p.Q);
  var total = V();
  for (var a = p0; a < p1; a++) {
    for (var b = q0; b < q1; b++) {
      var count = p.R * p.S;
      if (COUNT_PAD == 0u) { count = inside(a * p.strideH, p.R, p.padH, p.H) * inside(b * p.strideW, p.S, p.padW, p.W); }
      total += dy[((image + a) * p.Q + b) * p.C + c] / f32(count);
    }
  }
  dx[i] = total;
}
