enable subgroups;
// dx as conv2d_dx_subgroup computes it, for at most 4 channels a group, as a picture's three.
// A workgroup is one subgroup and computes ROWS pixels of dx by 4 channels. The channels do not fill a subgroup, so its
// threads share the sum over output channels and add up at the end; a thread's load of dy serves all channels.
const ROWS = 16u; // @tune
const SUBGROUP = 4u; // @tune
#import "index"
#import "conv2d_dx"

@group(0) @binding(0) var<storage, read> dy: array<f32>;       // [N, P, Q, O]
@group(0) @binding(1) var<storage, read> w: array<f32>;        // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let g = groupOf(group, groups);
  let kind = classOf(g);
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let t = tileOf(kind, g % p.groupsPerClass, ROWS, 4u);
  #for i in 0..ROWS
  let pixel$i = pixelOf(kind, t.pixel + $iu);
  #for c in 0..4
  var total$i_$c = 0.0;
  #end
  #end
  // A pixel's row of dy is its row within its class and as many more for all of the class.
  for (var r = 0u; r < select(p.R, 0u, t.pixel >= kind.pixels); r++) {
    if (!meetsRow(kind, r)) { continue; }
    let down = rowOf(kind, r);
    for (var s = 0u; s < p.S; s++) {
      if (!meetsColumn(kind, s)) { continue; }
      let right = columnOf(kind, s);
      #for i in 0..ROWS
      let tap$i = tapOf(pixel$i, down, right);
      #end
      for (var start = 0u; start < Og; start += SUBGROUP) {
        let o = min(start + lane, Og - 1u);
        let at = (((t.g * Og + o) * p.R + r) * p.S + s) * Cg;
        let own = start + lane < Og;
        #for c in 0..4
        let weight$c = select(0.0, w[at + min($cu, Cg - 1u)], own);
        #end
        #for i in 0..ROWS
        let d$i = select(0.0, dy[tap$i.at + t.g * Og + o], tap$i.inside);
        #for c in 0..4
        total$i_$c = fma(d$i, weight$c, total$i_$c);
        #end
        #end
      }
    }
  }
  #for i in 0..ROWS
  #for c in 0..4
  let sum$i_$c = subgroupAdd(total$i_$c);
  #end
  if ((t.pixel + $iu < kind.pixels) & (lane < Cg)) {
    let to = placeIn(kind, pixel$i) + t.g * Cg;
    dx[to + lane] = select(select(sum$i_0, sum$i_1, lane == 1u), select(sum$i_2, sum$i_3, lane == 3u), lane > 1u);
  }
  #end
}
