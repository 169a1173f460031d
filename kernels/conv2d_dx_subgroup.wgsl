enable subgroups;
// dx as conv2d_dx computes it, for adapters on which loads are dear: see conv2d_subgroup.
// A workgroup is one subgroup and computes ROWS pixels of dx, of one class, by COLUMNS × SUBGROUP channels in
// registers. Of SUBGROUP channels of dy each thread loads one a pixel, and all get it by broadcast. SUBGROUP divides O
// / groups.
const SUBGROUP = 4u; // @tune
const ROWS = 16u; // @tune
const COLUMNS = 8u; // @tune: channels a thread owns, SUBGROUP apart
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
  let t = tileOf(kind, g % p.groupsPerClass, ROWS, COLUMNS * SUBGROUP);
  let c = t.c + lane; // within the group
  #for j in 0..COLUMNS
  let w$j = min(c + $ju * SUBGROUP, Cg - 1u);
  #end
  #for i in 0..ROWS
  let pixel$i = pixelOf(kind, t.pixel + $iu);
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  let next = p.R * p.S * Cg; // from the weights of one output channel to those of the next
  // A pixel's row of dy is its row within its class and as many more for all of the class.
  for (var tap = 0u; tap < select(p.R * p.S, 0u, t.pixel >= kind.pixels); tap++) {
    let r = tap / p.S;
    let s = tap % p.S;
    let meets = meetsRow(kind, r) & meetsColumn(kind, s);
    let down = rowOf(kind, r);
    let right = columnOf(kind, s);
    #for i in 0..ROWS
    let tap$i = tapOf(pixel$i, down, right);
    #end
    var at = (t.g * Og * p.R * p.S + r * p.S + s) * Cg;
    for (var o = 0u; o < select(0u, Og, meets); o += SUBGROUP) {
      #for i in 0..ROWS
      let mine$i = select(0.0, dy[tap$i.at + t.g * Og + o + lane], tap$i.inside);
      #end
      #for u in 0..SUBGROUP
      let k$u = at + $uu * next;
      #end
#import "subgroup_multiply"
      at += SUBGROUP * next;
    }
  }
  #for i in 0..ROWS
  if (t.pixel + $iu < kind.pixels) {
    let to = placeIn(kind, pixel$i) + t.g * Cg + c;
    #for j in 0..COLUMNS
    if (c + $ju * SUBGROUP < Cg) { dx[to + $ju * SUBGROUP] = total$i_$j; }
    #end
  }
  #end
}
