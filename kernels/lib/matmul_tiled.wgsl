// A TILE × TILE block of c a workgroup, from tiles of 16 steps of k staged in workgroup memory as F, each thread a 4×4
// block in
// registers as f32. Transposes are handled where tiles are staged; the inner loop is the same for all.

@group(0) @binding(0) var<storage, read> a: array<f32>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<f32>;       // batch of [K, N], at bRow and bCol
const BIAS = 0u; // @tune: 1 adds a bias to every row
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, split, M, N]
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [N]
#endif
@group(1) @binding(0) var<uniform> p: Params;

const SIDE = TILE / 4u;
var<workgroup> aTile: array<F, 16u * TILE>; // [16 k, TILE rows]
var<workgroup> bTile: array<F, 16u * TILE>; // [16 k, TILE columns]

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), TILE, TILE);
  #for i in 0..4
  var c$i = vec4f();
  #end
  for (var start = t.start; start < t.end; start += 16u) {
    #for i in 0..LOADS
    {
      let e = thread + $iu * SIDE * SIDE;
      let ak = select(e % 16u, e / TILE, aTurned());
      let ar = select(e / 16u, e % TILE, aTurned());
      var v = 0.0;
      if (start + ak < t.end && t.row + ar < p.M) { v = a[t.a + (t.row + ar) * p.aRow + (start + ak) * p.aCol]; }
      aTile[ak * TILE + ar] = F(v);
      let bk = select(e / TILE, e % 16u, bTurned());
      let bc = select(e % TILE, e / 16u, bTurned());
      var w = 0.0;
      if (start + bk < t.end && t.column + bc < p.N) { w = b[t.b + (start + bk) * p.bRow + (t.column + bc) * p.bCol]; }
      bTile[bk * TILE + bc] = F(w);
    }
    #end
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let at = k * TILE + lane.x;
      let y = vec4f(vec4(bTile[at], bTile[at + SIDE], bTile[at + 2u * SIDE], bTile[at + 3u * SIDE]));
      #for i in 0..4
      c$i = fma(vec4f(f32(aTile[k * TILE + lane.y * 4u + $iu])), y, c$i);
      #end
    }
    workgroupBarrier();
  }
  let column = t.column + lane.x;
  #if BIAS
  let last = p.N - 1u;
  let shift = vec4f(bias[min(column, last)], bias[min(column + SIDE, last)], bias[min(column + 2u * SIDE, last)], bias[min(column + 3u * SIDE, last)]);
  #for i in 0..4
  c$i += shift;
  #end
  #endif
  #for i in 0..4
  {
    let r = t.row + lane.y * 4u + $iu;
    if (r < p.M) {
      let at = t.c + r * p.N + column;
      if (column < p.N) { c[at] = c$i.x; }
      if (column + SIDE < p.N) { c[at + SIDE] = c$i.y; }
      if (column + 2u * SIDE < p.N) { c[at + 2u * SIDE] = c$i.z; }
      if (column + 3u * SIDE < p.N) { c[at + 3u * SIDE] = c$i.w; }
    }
  }
  #end
}
