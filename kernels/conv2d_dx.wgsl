// dx[n, h, w, c] = Σ over r, s, o of dy[n, p, q, o] w[o, r, s, c], where p·stride = h + pad - r·dilation.
// One thread computes ROWS pixels of dx by COLUMNS channels in registers. Pixels are visited by their remainders modulo
// the stride (parity for stride 2), so that each class is a dense small convolution: a workgroup meets the same taps
// and skips the others together.
override LANES: u32 = 4u;   // neighbouring threads on neighbouring channels; divides 64
#import "index"
#import "conv2d_dx"
const ROWS = 8u; // @tune: pixels of a thread
const COLUMNS = 4u; // @tune: channels a thread owns, LANES apart

@group(0) @binding(0) var<storage, read> dy: array<f32>;       // [N, P, Q, O]
@group(0) @binding(1) var<storage, read> w: array<f32>;        // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let g = groupOf(group, groups);
  let kind = classOf(g);
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let t = tileOf(kind, ((g % p.groupsPerClass) * 64u + lane) / LANES, ROWS, LANES * COLUMNS);
  if (t.pixel >= kind.pixels) { return; }
  let c = t.c + lane % LANES; // within the group
  #for j in 0..COLUMNS
  let c$j = min(c + $ju * LANES, Cg - 1u);
  #end
  #for i in 0..ROWS
  let pixel$i = pixelOf(kind, t.pixel + $iu);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  let weightStride = p.R * p.S * Cg; // from one output channel to the next
  // A pixel's row of dy is its row within its class and as many more for all of the class.
  for (var r = 0u; r < p.R; r++) {
    if (!meetsRow(kind, r)) { continue; }
    let down = rowOf(kind, r);
    for (var s = 0u; s < p.S; s++) {
      if (!meetsColumn(kind, s)) { continue; }
      let right = columnOf(kind, s);
      #for i in 0..ROWS
      let tap$i = tapOf(pixel$i, down, right);
      #end
      var at = (t.g * Og * p.R * p.S + r * p.S + s) * Cg;
      for (var o = 0u; o < Og; o++) {
        #for j in 0..COLUMNS
        let weight$j = w[at + c$j];
        #end
        #for i in 0..ROWS
        let d$i = select(0.0, dy[tap$i.at + t.g * Og + o], tap$i.inside);
        #for j in 0..COLUMNS
        total$i_$j = fma(d$i, weight$j, total$i_$j);
        #end
        #end
        at += weightStride;
      }
    }
  }
  #for i in 0..ROWS
  if (t.pixel + $iu < kind.pixels) {
    let to = placeIn(kind, pixel$i) + t.g * Cg;
    #for j in 0..COLUMNS
    if (c + $ju * LANES < Cg) { dx[to + c$j] = total$i_$j; }
    #end
  }
  #end
}
