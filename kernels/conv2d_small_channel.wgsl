enable subgroups;
// y as conv2d_subgroup computes it, for channels that do not fill a subgroup, as a picture's three.
// Taps and channels are one axis k = (r, s, c), as they lie in w. A workgroup is one subgroup and computes ROWS pixels
// by COLUMNS × SUBGROUP output channels. Of SUBGROUP steps of k each thread finds its own place in x and loads from it
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
  let pixels = p.N * p.P * p.Q;
  let t = tileOf(groupOf(group, groups), ROWS, COLUMNS * SUBGROUP);
  let o = t.o + lane; // within the group
  // Beyond the last pixel, channel or k the last is computed again and not stored, or multiplied by 0.
  #for j in 0..COLUMNS
  let w$j = (t.g * Og + min(o + $ju * SUBGROUP, Og - 1u)) * K;
  #end
  #for i in 0..ROWS
  let pixel$i = pixelOf(t.pixel + $iu);
  let corner$i = ((i32(pixel$i.image) + pixel$i.top) * i32(p.W) + pixel$i.left) * i32(p.C) + i32(t.g * Cg);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  for (var start = 0u; start < select(K, 0u, t.pixel >= pixels); start += SUBGROUP) {
    let k = start + lane;
    let down = i32(k / (p.S * Cg) * p.dilationH);
    let right = i32(k / Cg % p.S * p.dilationW);
    let offset = (down * i32(p.W) + right) * i32(p.C) + i32(k % Cg);
    #for i in 0..ROWS
    let inside$i = (u32(pixel$i.top + down) < p.H) & (u32(pixel$i.left + right) < p.W) & (k < K); // negative is huge
    let mine$i = select(0.0, x[select(0, corner$i + offset, inside$i)], inside$i);
    #end
    #for u in 0..SUBGROUP
    let k$u = min(start + $uu, K - 1u);
    #end
#import "subgroup_multiply"
  }
#import "conv2d_subgroup_store"
}
