// dw[o, r, s, c] = Σ over n, p, q of dy[n, p, q, o] x[n, p·stride - pad + r·dilation, …, c].
// One thread computes one tap of 8 output channels by COLUMNS channels in registers. It visits only the pixels that its
// tap meets and tests none. The sum over all pixels is cut into slices of `chunk` rows (n, p), a partial sum a slice,
// which `reduce` adds in order.
override LANES: u32 = 4u;   // neighbouring threads on neighbouring channels; divides 64
#import "index"
#import "conv2d_dw"
const COLUMNS = 4u; // @tune: channels a thread owns, LANES apart

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let blocks = (Cg + LANES * COLUMNS - 1u) / (LANES * COLUMNS);
  let t = tileOf((groupOf(group, groups) * 64u + lane) / LANES, 8u, p.R * p.S * blocks);
  if (t.slice >= p.slices) { return; }
  let c = t.part % blocks * LANES * COLUMNS + lane % LANES; // within the group
  let s = t.part / blocks % p.S;
  let r = t.part / (blocks * p.S);
  // Beyond the last channel the last is computed again and not stored.
  #for j in 0..COLUMNS
  let c$j = t.g * Cg + min(c + $ju * LANES, Cg - 1u);
  #end
  #for i in 0..8
  let o$i = t.g * Og + min(t.o + $iu, Og - 1u);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  let shift = i32(s * p.dilationW) - i32(p.padW); // column of x under column 0 of y
  let firstQ = (max(0, -shift) + i32(p.strideW) - 1) / i32(p.strideW);
  var endQ = 0;
  if (shift < i32(p.W)) { endQ = min(i32(p.Q), (i32(p.W) - 1 - shift) / i32(p.strideW) + 1); }
  for (var row = t.slice * p.chunk; row < min((t.slice + 1u) * p.chunk, p.N * p.P); row++) {
    let h = i32(row % p.P * p.strideH + r * p.dilationH) - i32(p.padH);
    if (h < 0 || h >= i32(p.H)) { continue; }
    var source = (row * p.Q + u32(firstQ)) * p.O;
    var at = ((row / p.P * p.H + u32(h)) * p.W + u32(firstQ * i32(p.strideW) + shift)) * p.C;
    for (var q = firstQ; q < endQ; q++) {
      #for j in 0..COLUMNS
      let value$j = x[at + c$j];
      #end
      #for i in 0..8
      let d$i = dy[source + o$i];
      #for j in 0..COLUMNS
      total$i_$j = fma(d$i, value$j, total$i_$j);
      #end
      #end
      source += p.O;
      at += p.strideW * p.C;
    }
  }
  #for i in 0..8
  if (t.o + $iu < Og) {
    let to = (((t.slice * p.O + o$i) * p.R + r) * p.S + s) * Cg + c;
    #for j in 0..COLUMNS
    if (c + $ju * LANES < Cg) { dw[to + $ju * LANES] = total$i_$j; }
    #end
  }
  #end
}
