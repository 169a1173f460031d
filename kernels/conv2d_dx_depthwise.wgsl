// dx[n, h, w, c] = Σ over r, s of dy[n, p, q, c] w[c, r, s], where p·stride = h + pad - r·dilation and every channel is
// a group.
// One thread computes 8 pixels of a channel; neighbouring threads own neighbouring channels. Pixels are visited by
// their remainders modulo the stride, as in conv2d_dx.
#import "index"
#import "conv2d_dx"

@group(0) @binding(0) var<storage, read> dy: array<f32>;       // [N, P, Q, C]
@group(0) @binding(1) var<storage, read> w: array<f32>;        // [C, R, S]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let g = groupOf(group, groups);
  let kind = classOf(g);
  let i = (g % p.groupsPerClass) * 64u + lane;
  let c = i % p.C;
  let first = i / p.C * 8u;
  if (first >= kind.pixels) { return; }
  #for i in 0..8
  let pixel$i = pixelOf(kind, first + $iu);
  var total$i = 0.0;
  #end
  // A pixel's row of dy is its row within its class and as many more for all of the class.
  for (var r = 0u; r < p.R; r++) {
    if (!meetsRow(kind, r)) { continue; }
    let down = rowOf(kind, r);
    for (var s = 0u; s < p.S; s++) {
      if (!meetsColumn(kind, s)) { continue; }
      let right = columnOf(kind, s);
      let weight = w[(c * p.R + r) * p.S + s];
      #for i in 0..8
      let tap$i = tapOf(pixel$i, down, right);
      total$i = fma(select(0.0, dy[tap$i.at + c], tap$i.inside), weight, total$i);
      #end
    }
  }
  #for i in 0..8
  if (first + $iu < kind.pixels) { dx[placeIn(kind, pixel$i) + c] = total$i; }
  #end
}
