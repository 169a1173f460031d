// dw[c, r, s] = Σ over n, p, q of dy[n, p, q, c] x[n, p·stride - pad + r·dilation, …, c], where every channel is a
// group.
// One thread computes TAPS neighbouring taps of a row of the filter, which share dy; neighbouring threads own
// neighbouring channels. The sum is cut into slices as in conv2d_dw.
const TAPS = 4u; // @tune
#import "index"
#import "conv2d_dw"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, P, Q, C]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, C, R, S]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let blocks = (p.S + TAPS - 1u) / TAPS;
  let i = groupOf(group, groups) * 64u + lane;
  let c = i % p.C;
  let s = i / p.C % blocks * TAPS;
  let r = i / (p.C * blocks) % p.R;
  let slice = i / (p.C * blocks * p.R);
  if (slice >= p.slices) { return; }
  #for t in 0..TAPS
  // beyond the last tap the last is computed again and not stored
  let right$t = i32(min(s + $tu, p.S - 1u) * p.dilationW) - i32(p.padW);
  var total$t = 0.0;
  #end
  for (var row = slice * p.chunk; row < min((slice + 1u) * p.chunk, p.N * p.P); row++) {
    let h = i32(row % p.P * p.strideH + r * p.dilationH) - i32(p.padH);
    if (h < 0 || h >= i32(p.H)) { continue; }
    let line = (row / p.P * p.H + u32(h)) * p.W;
    for (var q = 0u; q < p.Q; q++) {
      let d = dy[(row * p.Q + q) * p.C + c];
      #for t in 0..TAPS
      let v$t = u32(i32(q * p.strideW) + right$t); // negative is huge
      let inside$t = v$t < p.W;
      total$t = fma(d, select(0.0, x[select(0u, (line + v$t) * p.C + c, inside$t)], inside$t), total$t);
      #end
    }
  }
  #for t in 0..TAPS
  if (s + $tu < p.S) { dw[((slice * p.C + c) * p.R + r) * p.S + s + $tu] = total$t; }
  #end
}
