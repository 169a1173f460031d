// y[n, p, q, o] = Σ over r, s, c of x[n, p·stride - pad + r·dilation, …, c] w[o, r, s, c],
// an implicit matrix product of pixels by output channels: each thread 8 neighbouring pixels by
// COLUMNS output channels in registers. Neighbouring threads read neighbouring weights and the same pixels,
// so weights come with the output channel last.
override LANES: u32 = 4u;   // neighbouring threads on neighbouring channels; divides 64
#import "index"
#import "conv2d"
const COLUMNS = 4u; // @tune: channels a thread owns, LANES apart

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<f32>;       // [R, S, C / groups, O]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, P, Q, O]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let blocks = (Og + LANES * COLUMNS - 1u) / (LANES * COLUMNS);
  let pixels = p.N * p.P * p.Q;
  let i = (groupOf(group, groups) * 64u + lane) / LANES;
  let first = i / (p.groups * blocks) * 8u;
  if (first >= pixels) { return; }
  let g = (i / blocks) % p.groups;
  let o = (i % blocks) * LANES * COLUMNS + lane % LANES; // within the group
  // Beyond the last pixel or channel the last is computed again and not stored.
  #for j in 0..COLUMNS
  let o$j = g * Og + min(o + $ju * LANES, Og - 1u);
  #end
  #for i in 0..8
  let pixel$i = min(first + $iu, pixels - 1u);
  let top$i = i32((pixel$i / p.Q) % p.P * p.strideH) - i32(p.padH);
  let left$i = i32(pixel$i % p.Q * p.strideW) - i32(p.padW);
  let image$i = pixel$i / (p.P * p.Q) * p.H;
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  for (var r = 0u; r < p.R; r++) {
    for (var s = 0u; s < p.S; s++) {
      #for i in 0..8
      let h$i = top$i + i32(r * p.dilationH);
      let v$i = left$i + i32(s * p.dilationW);
      let inside$i = (u32(h$i) < p.H) & (u32(v$i) < p.W); // negative is huge
      let x$i = select(0u, ((image$i + u32(h$i)) * p.W + u32(v$i)) * p.C + g * Cg, inside$i);
      #end
      var at = (r * p.S + s) * Cg * p.O;
      for (var c = 0u; c < Cg; c++) {
        #for j in 0..COLUMNS
        let weight$j = w[at + o$j];
        #end
        #for i in 0..8
        let value$i = select(0.0, x[x$i + c], inside$i);
        #for j in 0..COLUMNS
        total$i_$j = fma(value$i, weight$j, total$i_$j);
        #end
        #end
        at += p.O;
      }
    }
  }
  #for i in 0..8
  if (first + $iu < pixels) {
    #for j in 0..COLUMNS
    if (o + $ju * LANES < Og) { y[(first + $iu) * p.O + o$j] = total$i_$j; }
    #end
  }
  #end
}
