enable subgroups;
// dw as conv2d_dw_subgroup computes it, for channels that do not fill its width.
// Taps and channels are one axis k = (r, s, c), as they lie in dw. A workgroup computes LOADS × SUBGROUP output
// channels by COLUMNS × SUBGROUP places of k, each of which has its own place in x.
const SUBGROUP = 4u; // @tune
const LOADS = 4u; // @tune
const COLUMNS = 8u; // @tune: taps and channels a thread owns, SUBGROUP apart
#import "index"
#import "conv2d_dw"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let K = p.R * p.S * Cg;
  let blocks = (K + COLUMNS * SUBGROUP - 1u) / (COLUMNS * SUBGROUP);
  let t = tileOf(groupOf(group, groups), LOADS * SUBGROUP, blocks);
  let start = 0u;
  let own = t.part * COLUMNS * SUBGROUP + lane;
  let length = K;
  // Beyond the last channel or k the last is computed again and not stored.
  #for j in 0..COLUMNS
  let place$j = placeOfK(min(own + $ju * SUBGROUP, K - 1u), t.g);
  let c$j = place$j.right * i32(p.C) + i32(place$j.c);
  #end
#import "conv2d_dw_outer_begin"
  for (var row = t.slice * p.chunk; row < min((t.slice + 1u) * p.chunk, p.N * p.P); row++) {
    let top = i32(row % p.P * p.strideH);
    let image = i32(row / p.P * p.H);
    #for j in 0..COLUMNS
    let high$j = u32(top + place$j.down) < p.H; // negative is huge
    let line$j = (image + top + place$j.down) * i32(p.W * p.C) + c$j;
    #end
    var source = row * p.Q * p.O;
    for (var left = 0; left < i32(p.Q * p.strideW); left += i32(p.strideW)) {
      #for j in 0..COLUMNS
      let inside$j = high$j & (u32(left + place$j.right) < p.W);
      let value$j = select(0.0, x[select(0, line$j + left * i32(p.C), inside$j)], inside$j);
      #end
#import "conv2d_dw_outer"
      source += p.O;
    }
  }
#import "conv2d_dw_outer_store"
}
