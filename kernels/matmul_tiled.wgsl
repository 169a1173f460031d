// c = a b, a workgroup of 256 threads computes 64×64 of c from 64×16 and 16×64 tiles staged in workgroup
// memory (8 KB), each thread a 4×4 block in registers. For adapters with real workgroup memory.
// Transposes are handled where tiles are staged; the inner loop is the same for all.
override A_T: u32 = 0u; // 1: a's rows are its contiguous axis
override B_T: u32 = 0u;
#import "index"

struct Params { M: u32, N: u32, K: u32, aBatch: u32, bBatch: u32, aRow: u32, aCol: u32, bRow: u32, bCol: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<f32>;       // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, M, N]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> aTile: array<f32, 1024>; // [16 k, 64 rows]
var<workgroup> bTile: array<f32, 1024>; // [16 k, 64 columns]

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) thread: u32) {
  let columns = (p.N + 63u) / 64u;
  let rows = (p.M + 63u) / 64u;
  let g = groupOf(group, groups);
  let batch = g / (columns * rows);
  let row = ((g / columns) % rows) * 64u;
  let column = (g % columns) * 64u;
  #for i in 0..4
  var c$i = vec4f();
  #end
  for (var start = 0u; start < p.K; start += 16u) {
    #for i in 0..4
    {
      let e = thread + $iu * 256u;
      let ak = select(e % 16u, e / 64u, A_T == 1u);
      let ar = select(e / 16u, e % 64u, A_T == 1u);
      var v = 0.0;
      if (start + ak < p.K && row + ar < p.M) { v = a[batch * p.aBatch + (row + ar) * p.aRow + (start + ak) * p.aCol]; }
      aTile[ak * 64u + ar] = v;
      let bk = select(e / 64u, e % 16u, B_T == 1u);
      let bc = select(e % 64u, e / 16u, B_T == 1u);
      var w = 0.0;
      if (start + bk < p.K && column + bc < p.N) { w = b[batch * p.bBatch + (start + bk) * p.bRow + (column + bc) * p.bCol]; }
      bTile[bk * 64u + bc] = w;
    }
    #end
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let at = k * 64u + lane.x;
      let y = vec4f(bTile[at], bTile[at + 16u], bTile[at + 32u], bTile[at + 48u]);
      #for i in 0..4
      c$i = fma(vec4f(aTile[k * 64u + lane.y * 4u + $iu]), y, c$i);
      #end
    }
    workgroupBarrier();
  }
  #for i in 0..4
  {
    let r = row + lane.y * 4u + $iu;
    if (r < p.M) {
      let at = (batch * p.M + r) * p.N + column + lane.x;
      if (column + lane.x < p.N) { c[at] = c$i.x; }
      if (column + lane.x + 16u < p.N) { c[at + 16u] = c$i.y; }
      if (column + lane.x + 32u < p.N) { c[at + 32u] = c$i.z; }
      if (column + lane.x + 48u < p.N) { c[at + 48u] = c$i.w; }
    }
  }
  #end
}
