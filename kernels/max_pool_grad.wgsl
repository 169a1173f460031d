// dx[n, h, w, c] = Σ dy over the windows that hold the pixel and chose it, row by row: one thread a pixel and channel.
// Gathering instead of scattering keeps the order of the sum, and needs no atomics where windows overlap.
// Compiled with vec4 types where channels come in fours.
#import "index"

alias V = f32;
alias U = u32;

struct Params {
  N: u32, H: u32, W: u32, C: u32, R: u32, S: u32, P: u32, Q: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<storage, read> place: array<U>;    // [N, P, Q, C], from max_pool
@group(0) @binding(1) var<storage, read> dy: array<V>;       // [N, P, Q, C]
@group(0) @binding(2) var<storage, read_write> dx: array<V>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

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
      let at = ((image + a) * p.Q + b) * p.C + c;
      let here = (h - a * p.strideH) * p.S + w - b * p.strideW;
      total += select(V(), dy[at], place[at] == U(here));
    }
  }
  dx[i] = total;
}
