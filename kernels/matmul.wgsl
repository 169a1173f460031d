// c = a b, each thread a 4×4 block of c held in registers; a workgroup computes 16 rows by 64 columns.
// Operands are read straight from memory by strides, so all four transposes are this kernel. Where
// workgroup memory is ordinary memory (software adapters) this beats staging tiles in it.
// Neighbouring threads own neighbouring columns, 16 apart from block to block.
override LANES: u32 = 16u;
#import "index"

struct Params { M: u32, N: u32, K: u32, aBatch: u32, bBatch: u32, aRow: u32, aCol: u32, bRow: u32, bCol: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<f32>;       // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, M, N]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(LANES, 4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let columns = (p.N + 63u) / 64u;
  let rows = (p.M + 15u) / 16u;
  let g = groupOf(group, groups);
  let batch = g / (columns * rows);
  let row = ((g / columns) % rows) * 16u + lane.y * 4u;
  let column = (g % columns) * 64u + lane.x;
  // Beyond the edge, the last row or column is read again and not stored.
  #for i in 0..4
  var a$i = batch * p.aBatch + min(row + $iu, p.M - 1u) * p.aRow;
  var b$i = batch * p.bBatch + min(column + $iu * LANES, p.N - 1u) * p.bCol;
  var c$i = vec4f();
  #end
  for (var k = 0u; k < p.K; k++) {
    let y = vec4f(b[b0], b[b1], b[b2], b[b3]);
    #for i in 0..4
    c$i = fma(vec4f(a[a$i]), y, c$i);
    a$i += p.aCol;
    b$i += p.bRow;
    #end
  }
  #for i in 0..4
  if (row + $iu < p.M) {
    let start = (batch * p.M + row + $iu) * p.N + column;
    if (column < p.N) { c[start] = c$i.x; }
    if (column + LANES < p.N) { c[start + LANES] = c$i.y; }
    if (column + 2u * LANES < p.N) { c[start + 2u * LANES] = c$i.z; }
    if (column + 3u * LANES < p.N) { c[start + 3u * LANES] = c$i.w; }
  }
  #end
}
