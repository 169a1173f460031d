// y[n, p, q, o] = Σ over r, s, c of x[n, p·stride - pad + r·dilation, …, c] w[o, r, s, c].
// The convolution is an implicit matrix product of pixels by output channels. One thread computes 8 neighbouring pixels
// by COLUMNS output channels in registers. Neighbouring threads read neighbouring weights and the same pixels, so that
// weights come with the output channel last.
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
  let pixels = p.N * p.P * p.Q;
  let t = tileOf((groupOf(group, groups) * 64u + lane) / LANES, 8u, LANES * COLUMNS);
  if (t.pixel >= pixels) { return; }
  let o = t.o + lane % LANES; // within the group
  // A pixel or channel beyond the last is computed and not stored.
  #for j in 0..COLUMNS
  let o$j = t.g * Og + min(o + $ju * LANES, Og - 1u);
  #end
  #for i in 0..8
  let pixel$i = pixelOf(t.pixel + $iu);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  for (var r = 0u; r < p.R; r++) {
    for (var s = 0u; s < p.S; s++) {
      #for i in 0..8
      let tap$i = tapOf(pixel$i, r * p.dilationH, s * p.dilationW);
      #end
      var at = (r * p.S + s) * Cg * p.O;
      for (var c = 0u; c < Cg; c++) {
        #for j in 0..COLUMNS
        let weight$j = w[at + o$j];
        #end
        #for i in 0..8
        let value$i = select(0.0, x[tap$i.at + t.g * Cg + c], tap$i.inside);
        #for j in 0..COLUMNS
        total$i_$j = fma(value$i, weight$j, total$i_$j);
        #end
        #end
        at += p.O;
      }
    }
  }
  #for i in 0..8
  if (t.pixel + $iu < pixels) {
    #for j in 0..COLUMNS
    if (o + $ju * LANES < Og) { y[(t.pixel + $iu) * p.O + o$j] = total$i_$j; }
    #end
  }
  #end
}
