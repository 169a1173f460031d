// dx[n, h, w, c] = Σ over r, s of dy[n, p, q, c] w[c, r, s], where p·stride = h + pad - r·dilation and every channel is
// a group:
// each thread 8 pixels of a channel, neighbouring threads neighbouring channels. Pixels are visited by their remainders
// modulo
// the stride, as in conv2d_dx.
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
  let pixel$i = min(first + $iu, kind.pixels - 1u); // beyond the last pixel the last is computed again and not stored
  let h$i = (pixel$i / kind.columns) % kind.rows; // within its class
  let v$i = pixel$i % kind.columns;
  let image$i = pixel$i / (kind.rows * kind.columns);
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
      let row$i = u32(i32(h$i) + down); // negative is huge
      let column$i = u32(i32(v$i) + right);
      let inside$i = (row$i < p.P) & (column$i < p.Q);
      total$i = fma(select(0.0, dy[select(0u, ((image$i * p.P + row$i) * p.Q + column$i) * p.C + c, inside$i)], inside$i), weight, total$i);
      #end
    }
  }
  #for i in 0..8
  if (first + $iu < kind.pixels) { dx[((image$i * p.H + h$i * p.strideH + kind.h) * p.W + v$i * p.strideW + kind.w) * p.C + c] = total$i; }
  #end
}
