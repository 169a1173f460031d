// c = a b, for adapters with real workgroup memory, by vec4.
// A workgroup of 256 threads computes 128×128 of c, each thread 8×8 in registers (lib/tile). Of tiles of 16 steps of k,
// half of the threads load a, half b, each a 4×4 block by four vec4 loads that are under way while the tile before is
// used. The contiguous axis of each operand, and N, divide by 4.
const SIDE = 16u;
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
const BIAS = 0u; // @tune: 1 adds a bias to every row
#import "index"
#import "matmul"
#import "tile"

@group(0) @binding(0) var<storage, read> a: array<vec4f>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<vec4f>;       // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>; // [batch, split, M, N]
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; // [N]
#endif
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of M, N], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of M, N]
#import "tile_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

// Row i of a thread's block: along the contiguous axis, at position `line` of the other.
fn loadA(t: Tile, line: u32, along: u32) -> vec4f {
  let ok = select((line < p.M) & (along < t.end), (line < t.end) & (along < p.M), aTransposed());
  // no branches: they cost compile time
  let v = a[select(0u, (t.a + line * select(p.aRow, p.aCol, aTransposed()) + along) / 4u, ok)];
  return select(vec4f(), v, ok);
}

fn loadB(t: Tile, line: u32, along: u32) -> vec4f {
  let ok = select((line < t.end) & (along < p.N), (line < p.N) & (along < t.end), bTransposed());
  // no branches: they cost compile time
  let v = b[select(0u, (t.b + line * select(p.bRow, p.bCol, bTransposed()) + along) / 4u, ok)];
  return select(vec4f(), v, ok);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), 128u, 128u);
  #for i in 0..8
  var l$i = vec4f();
  var r$i = vec4f();
  #end
  // The 4×4 block this thread stages: `block` of 32 along the tile's side, `quad` of 4 along k. Memory is read in its
  // order.
  let isA = thread < 128u;
  let e = thread % 128u;
  let kFirst = select(bTransposed(), !aTransposed(), isA); // k is contiguous: the block is transposed as it is stored
  let quad = select(e / 32u, e % 4u, kFirst);
  let block = select(e % 32u, e / 4u, kFirst);
  let side = select(t.column, t.row, isA) + block * 4u;
  let line = select(t.start + quad * 4u, side, kFirst);
  let along = select(side, t.start + quad * 4u, kFirst);
  #for i in 0..4
  var v$i: vec4f;
  #end
  if (isA) {
    #for i in 0..4
    v$i = loadA(t, line + $iu, along);
    #end
  } else {
    #for i in 0..4
    v$i = loadB(t, line + $iu, along);
    #end
  }
  for (var start = t.start; start < t.end; start += 16u) {
    workgroupBarrier();
    let m = transpose(mat4x4f(v0, v1, v2, v3));
    #for i in 0..4
    let w$i = select(v$i, m[$i], kFirst);
    #end
    if (isA) { stageA(quad, block, mat4x4f(w0, w1, w2, w3)); } else { stageB(quad, block, mat4x4f(w0, w1, w2, w3)); }
    workgroupBarrier();
    let step = start - t.start + 16u;
    let nextLine = line + select(step, 0u, kFirst);
    let nextAlong = along + select(0u, step, kFirst);
    if (isA) {
      #for i in 0..4
      v$i = loadA(t, nextLine + $iu, nextAlong);
      #end
    } else {
      #for i in 0..4
      v$i = loadB(t, nextLine + $iu, nextAlong);
      #end
    }
#import "tile_multiply"
  }
  let column = t.column + thread % SIDE * 4u;
  #if BIAS
  let last = p.N / 4u - 1u;
  let left = bias[min(column / 4u, last)];
  let right = bias[min(column / 4u + 16u, last)];
  #for i in 0..8
  l$i += left;
  r$i += right;
  #end
  #endif
  #for i in 0..8
  {
    let row = t.row + tileRow($iu, thread);
    let at = t.c + row * p.N + column;
    if ((row < p.M) & (column < p.N)) { c[at / 4u] = l$i; }
    if ((row < p.M) & (column + 64u < p.N)) { c[at / 4u + 16u] = r$i; }
  }
  #end
  #if STATS
  let rows = min(TILE, p.M - min(t.row, p.M));
  let place = (t.row / TILE * p.N + column) / 4u;
  writeStats(array(l0, l1, l2, l3, l4, l5, l6, l7), rows, thread, place, column < p.N);
  writeStats(array(r0, r1, r2, r3, r4, r5, r6, r7), rows, thread, place + SIDE, column + 64u < p.N);
  #endif
}
