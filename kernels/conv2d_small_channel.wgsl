enable subgroups;
// y as conv2d_subgroup computes it, for channels that do not fill a subgroup, as the three of a picture: taps and
// channels
// are one axis k = (r, s, c), as they lie in w. Of SUBGROUP steps of it each thread finds its own place in x and loads
// from it
// one element a pixel, and all get it by broadcast.
const SUBGROUP = 4u; // @tune
const ROWS = 16u; // @tune
const COLUMNS = 8u; // @tune: channels a thread owns, SUBGROUP apart
#import "index"
#import "conv2d"

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<f32>;       // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N, P, Q, O]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let K = p.R * p.S * Cg;
  let blocks = (Og + COLUMNS * SUBGROUP - 1u) / (COLUMNS * SUBGROUP);
  let pixels = p.N * p.P * p.Q;
  let tile = groupOf(group, groups);
  let first = tile / (p.groups * blocks) * ROWS;
  let g = (tile / blocks) % p.groups;
  let o = (tile % blocks) * COLUMNS * SUBGROUP + lane; // within the group
  // Beyond the last pixel, channel or k the last is computed again and not stored, or multiplied by 0.
  #for j in 0..COLUMNS
  let w$j = (g * Og + min(o + $ju * SUBGROUP, Og - 1u)) * K;
  #end
  #for i in 0..ROWS
  let pixel$i = min(first + $iu, pixels - 1u);
  let top$i = i32((pixel$i / p.Q) % p.P * p.strideH) - i32(p.padH);
  let left$i = i32(pixel$i % p.Q * p.strideW) - i32(p.padW);
  let corner$i = ((i32(pixel$i / (p.P * p.Q) * p.H) + top$i) * i32(p.W) + left$i) * i32(p.C) + i32(g * Cg);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  for (var start = 0u; start < select(K, 0u, first >= pixels); start += SUBGROUP) {
    let k = start + lane;
    let down = i32(k / (p.S * Cg) * p.dilationH);
    let right = i32(k / Cg % p.S * p.dilationW);
    let offset = (down * i32(p.W) + right) * i32(p.C) + i32(k % Cg);
    #for i in 0..ROWS
    let inside$i = (u32(top$i + down) < p.H) & (u32(left$i + right) < p.W) & (k < K); // negative is huge
    let mine$i = select(0.0, x[select(0, corner$i + offset, inside$i)], inside$i);
    #end
    #for u in 0..SUBGROUP
    let k$u = min(start + $uu, K - 1u);
    #for j in 0..COLUMNS
    let weight$u_$j = w[w$j + k$u];
    #end
    #for i in 0..ROWS
    let value$u_$i = subgroupBroadcast(mine$i, $uu);
    #for j in 0..COLUMNS
    total$i_$j = fma(value$u_$i, weight$u_$j, total$i_$j);
    #end
    #end
    #end
  }
  #for i in 0..ROWS
  if (first + $iu < pixels) {
    let to = (first + $iu) * p.O + g * Og + o;
    #for j in 0..COLUMNS
    if (o + $ju * SUBGROUP < Og) { y[to + $ju * SUBGROUP] = total$i_$j; }
    #end
  }
  #end
}
