enable subgroups;
// y as conv2d computes it, for adapters on which a load costs as much as ten multiplications, which are software.
// A workgroup is one subgroup and computes ROWS pixels by COLUMNS × SUBGROUP channels in registers. Of SUBGROUP
// channels of x each thread loads one a pixel, and all get it by broadcast. SUBGROUP divides C / groups.
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
  let pixels = p.N * p.P * p.Q;
  let t = tileOf(groupOf(group, groups), ROWS, COLUMNS * SUBGROUP);
  let o = t.o + lane; // within the group
  // A pixel or channel beyond the last is computed and not stored.
  #for j in 0..COLUMNS
  let w$j = (t.g * Og + min(o + $ju * SUBGROUP, Og - 1u)) * p.R * p.S * Cg;
  #end
  #for i in 0..ROWS
  let pixel$i = pixelOf(t.pixel + $iu);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  for (var r = 0u; r < select(p.R, 0u, t.pixel >= pixels); r++) {
    for (var s = 0u; s < p.S; s++) {
      #for i in 0..ROWS
      let tap$i = tapOf(pixel$i, r * p.dilationH, s * p.dilationW);
      #end
      let weights = (r * p.S + s) * Cg;
      for (var c = 0u; c < Cg; c += SUBGROUP) {
        #for i in 0..ROWS
        let mine$i = select(0.0, x[tap$i.at + t.g * Cg + c + lane], tap$i.inside);
        #end
        #for u in 0..SUBGROUP
        let k$u = weights + c + $uu;
        #end
#import "subgroup_multiply"
      }
    }
  }
#import "conv2d_subgroup_store"
}
