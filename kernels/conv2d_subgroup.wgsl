enable subgroups;
// y as conv2d computes it, for adapters on which a load costs as much as ten multiplications: software. A workgroup is
// one
// subgroup and computes ROWS pixels by COLUMNS × SUBGROUP channels in registers. Of SUBGROUP channels of x, each thread
// loads
// one a pixel, and all get it by broadcast. SUBGROUP divides C / groups.
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
  let blocks = (Og + COLUMNS * SUBGROUP - 1u) / (COLUMNS * SUBGROUP);
  let pixels = p.N * p.P * p.Q;
  let tile = groupOf(group, groups);
  let first = tile / (p.groups * blocks) * ROWS;
  let g = (tile / blocks) % p.groups;
  let o = (tile % blocks) * COLUMNS * SUBGROUP + lane; // within the group
  // Beyond the last pixel or channel the last is computed again and not stored.
  #for j in 0..COLUMNS
  let w$j = (g * Og + min(o + $ju * SUBGROUP, Og - 1u)) * p.R * p.S * Cg;
  #end
  #for i in 0..ROWS
  let pixel$i = min(first + $iu, pixels - 1u);
  let top$i = i32((pixel$i / p.Q) % p.P * p.strideH) - i32(p.padH);
  let left$i = i32(pixel$i % p.Q * p.strideW) - i32(p.padW);
  let image$i = pixel$i / (p.P * p.Q) * p.H;
  #for j in 0..COLUMNS
  var total$i_$j = 0.0;
  #end
  #end
  for (var r = 0u; r < select(p.R, 0u, first >= pixels); r++) {
    for (var s = 0u; s < p.S; s++) {
      #for i in 0..ROWS
      let h$i = top$i + i32(r * p.dilationH);
      let v$i = left$i + i32(s * p.dilationW);
      let inside$i = (u32(h$i) < p.H) & (u32(v$i) < p.W); // negative is huge
      let x$i = select(0u, ((image$i + u32(h$i)) * p.W + u32(v$i)) * p.C + g * Cg, inside$i);
      #end
      let tap = (r * p.S + s) * Cg;
      for (var c = 0u; c < Cg; c += SUBGROUP) {
        #for i in 0..ROWS
        let mine$i = select(0.0, x[x$i + c + lane], inside$i);
        #end
        #for u in 0..SUBGROUP
        #for j in 0..COLUMNS
        let weight$u_$j = w[w$j + tap + c + $uu];
        #end
        #for i in 0..ROWS
        let value$u_$i = subgroupBroadcast(mine$i, $uu);
        #for j in 0..COLUMNS
        total$i_$j = fma(value$u_$i, weight$u_$j, total$i_$j);
        #end
        #end
        #end
      }
    }
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
