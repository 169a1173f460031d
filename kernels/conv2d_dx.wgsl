// dx[n, h, w, c] = Σ over r, s, o of dy[n, p, q, o] w[o, r, s, c], where p·stride = h + pad - r·dilation:
// each thread ROWS pixels of dx by COLUMNS channels in registers. Pixels are visited by their remainder
// modulo the stride (parity for stride 2), so that each class is a dense small convolution: a workgroup
// meets the same taps and skips the others together.
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
  let blocks = (Cg + LANES * COLUMNS - 1u) / (LANES * COLUMNS);
  let i = ((g % p.groupsPerClass) * 64u + lane) / LANES;
  let first = i / (p.groups * blocks) * ROWS;
  if (first >= kind.pixels) { return; }
  let part = (i / blocks) % p.groups;
  let c = (i % blocks) * LANES * COLUMNS + lane % LANES; // within the group
  #for j in 0..COLUMNS
  let c$j = min(c + $ju * LANES, Cg - 1u);
  #end
  #for i in 0..ROWS
  let pixel$i = min(first + $iu, kind.pixels - 1u);
  let h$i = (pixel$i / kind.columns) % kind.rows; // within its class
  let v$i = pixel$i % kind.columns;
  let image$i = pixel$i / (kind.rows * kind.columns);
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
#import "conv2d_dx_tap"
      var at = (part * Og * p.R * p.S + r * p.S + s) * Cg;
      for (var o = 0u; o < Og; o++) {
        #for j in 0..COLUMNS
        let weight$j = w[at + c$j];
        #end
        #for i in 0..ROWS
        let d$i = select(0.0, dy[source$i + o], inside$i);
        #for j in 0..COLUMNS
        total$i_$j = fma(d$i, weight$j, total$i_$j);
        #end
        #end
        at += weightStride;
      }
    }
  }
  #for i in 0..ROWS
  if (first + $iu < kind.pixels) {
    let to = ((image$i * p.H + h$i * p.strideH + kind.h) * p.W + v$i * p.strideW + kind.w) * p.C + part * Cg;
    #for j in 0..COLUMNS
    if (c + $ju * LANES < Cg) { dx[to + c$j] = total$i_$j; }
    #end
  }
  #end
}
