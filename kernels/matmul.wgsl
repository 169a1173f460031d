// c = a b.
// One thread computes a 4×4 block of c in registers; a workgroup 4 HEIGHT rows by 4 LANES columns. Operands are read
// straight from memory by strides, so that all four transposes are this kernel. Wide and flat (LANES 64, HEIGHT 1) it
// serves few rows, narrow and tall (4, 16) few columns. Neighbouring threads own neighbouring columns, LANES apart from
// block to block.
override LANES: u32 = 16u;
override HEIGHT: u32 = 4u;
const BIAS = 0u; // @tune: 1 adds a bias to every row
#import "index"
#import "matmul"

@group(0) @binding(0) var<storage, read> a: array<f32>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<f32>;       // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, split, M, N]
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [N]
#endif
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(LANES, HEIGHT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) lane: vec3u) {
  let t = tileOf(groupOf(group, groups), 4u * HEIGHT, 4u * LANES);
  let row = t.row + lane.y * 4u;
  let column = t.column + lane.x;
  // Beyond the edge, the last row or column is read again and not stored.
  #for i in 0..4
  var a$i = t.a + min(row + $iu, p.M - 1u) * p.aRow + t.start * p.aCol;
  var b$i = t.b + min(column + $iu * LANES, p.N - 1u) * p.bCol + t.start * p.bRow;
  var c$i = vec4f();
  #end
  for (var k = t.start; k < t.end; k++) {
    let y = vec4f(b[b0], b[b1], b[b2], b[b3]);
    #for i in 0..4
    c$i = fma(vec4f(a[a$i]), y, c$i);
    a$i += p.aCol;
    b$i += p.bRow;
    #end
  }
#import "matmul_store"
}
