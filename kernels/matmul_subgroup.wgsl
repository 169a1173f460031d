enable subgroups;
// c = a b, for adapters on which a load costs as much as ten multiplications, from workgroup memory twice that, and a
// broadcast one, which are software.
// A workgroup is one subgroup and computes ROWS rows by COLUMNS × SUBGROUP columns in registers. For SUBGROUP steps of
// k, each thread loads one of a's elements a row and all get it by broadcast, so that a tile costs ROWS + SUBGROUP ×
// COLUMNS loads where the direct kernel takes SUBGROUP × (ROWS + COLUMNS).
const SUBGROUP = 4u; // @tune
const ROWS = 16u; // @tune
const COLUMNS = 8u; // @tune
#import "index"
#import "matmul"

@group(0) @binding(0) var<storage, read> a: array<f32>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<f32>;       // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, split, M, N]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let t = tileOf(groupOf(group, groups), ROWS, COLUMNS * SUBGROUP);
  let column = t.column + lane;
  // Beyond the edge, the last row or column is read again and not stored.
  #for j in 0..COLUMNS
  let b$j = t.b + min(column + $ju * SUBGROUP, p.N - 1u) * p.bCol;
  #end
  #for i in 0..ROWS
  let a$i = t.a + min(t.row + $iu, p.M - 1u) * p.aRow;
  #for j in 0..COLUMNS
  var c$i_$j = 0.0;
  #end
  #end
  var k = t.start;
  for (; k + SUBGROUP <= t.end; k += SUBGROUP) {
    let ka = (k + lane) * p.aCol;
    #for i in 0..ROWS
    let x$i = a[a$i + ka];
    #end
    #for u in 0..SUBGROUP
    let k$u = (k + $uu) * p.bRow;
    #for j in 0..COLUMNS
    let y$u_$j = b[b$j + k$u];
    #end
    #for i in 0..ROWS
    let x$u_$i = subgroupBroadcast(x$i, $uu);
    #for j in 0..COLUMNS
    c$i_$j = fma(x$u_$i, y$u_$j, c$i_$j);
    #end
    #end
    #end
  }
  for (; k < t.end; k++) {
    let ka = k * p.aCol;
    let kb = k * p.bRow;
    #for j in 0..COLUMNS
    let y$j = b[b$j + kb];
    #end
    #for i in 0..ROWS
    let x$i = a[a$i + ka];
    #for j in 0..COLUMNS
    c$i_$j = fma(x$i, y$j, c$i_$j);
    #end
    #end
  }
  #for i in 0..ROWS
  if (t.row + $iu < p.M) {
    let start = t.c + (t.row + $iu) * p.N + column;
    #for j in 0..COLUMNS
    if (column + $ju * SUBGROUP < p.N) { c[start + $ju * SUBGROUP] = c$i_$j; }
    #end
  }
  #end
}
