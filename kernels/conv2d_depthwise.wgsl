// y[n, p, q, c] = Σ over r, s of x[n, p·stride - pad + r·dilation, …, c] w[c, r, s], where every channel is a group.
// One thread computes 8 neighbouring pixels of a channel, so that it loads a weight once for them; neighbouring threads
// own neighbouring channels.
#import "index"
#import "conv2d"

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<f32>;       // [C, R, S]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, P, Q, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let pixels = p.N * p.P * p.Q;
  let i = groupOf(group, groups) * 64u + lane;
  let c = i % p.C;
  let first = i / p.C * 8u;
  if (first >= pixels) { return; }
  #for i in 0..8
  let pixel$i = pixelOf(first + $iu);
  var total$i = 0.0;
  #end
  for (var r = 0u; r < p.R; r++) {
    for (var s = 0u; s < p.S; s++) {
      let weight = w[(c * p.R + r) * p.S + s];
      #for i in 0..8
      let tap$i = tapOf(pixel$i, r * p.dilationH, s * p.dilationW);
      total$i = fma(select(0.0, x[tap$i.at + c], tap$i.inside), weight, total$i);
      #end
    }
  }
  #for i in 0..8
  if (first + $iu < pixels) { y[(first + $iu) * p.C + c] = total$i; }
  #end
}
