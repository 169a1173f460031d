// c = a b.
// A workgroup computes HEIGHT × WIDTH of c, each thread 4 DOWN × 4 RIGHT in registers as blocks of 4×4 that lie
// HEIGHT / DOWN and WIDTH / RIGHT apart, so that workgroup memory is read by vec4 without bank conflicts. Of tiles of
// DEEP steps of k a thread brings at most one 4×4 block of a and one of b, by four vec4 loads that are on their way
// while the tile before is used. ALIGNED where every operand's contiguous axis divides by 4, else all is read and
// written one by one.
const ALIGNED = 1u; // @tune
const HEIGHT = 128u; // @tune
const WIDTH = 128u; // @tune
const DEEP = 16u; // @tune
const DOWN = 2u; // @tune
const RIGHT = 2u; // @tune
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
const BIAS = 0u; // @tune: 1 adds a bias to every row
#import "index"
#import "matmul"

#if ALIGNED
@group(0) @binding(0) var<storage, read> a: array<vec4f>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<vec4f>;       // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>; // [batch, split, M, N]
#else
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
#endif
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [N]
#endif
const TALL = HEIGHT / (4u * DOWN); // threads, one above the other
const WIDE = WIDTH / (4u * RIGHT); // and side by side
const THREADS = TALL * WIDE;

// Where a thread is among them; 32 in a row of the count are 8 wide.
fn placeOf(thread: u32) -> vec2u {
  let eights = WIDE / 8u;
  return vec2u(thread / 32u % eights * 8u + thread % 8u, thread / 32u / eights * 4u + thread % 32u / 8u);
}

const A_BLOCKS = HEIGHT / 4u;
const B_BLOCKS = WIDTH / 4u;
// [DEEP k, blocks of 4]; block b of step k is at b ^ (k / 4 * 2), which spreads transposed stores over the banks
var<workgroup> aTile: array<vec4f, DEEP * A_BLOCKS>;
var<workgroup> bTile: array<vec4f, DEEP * B_BLOCKS>;
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of M, N], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of M, N]
#import "matmul_tiled_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

// Four neighbours from element `at` on, 0 from `room` on. No branches: they cost compile time.
fn loadA(at: u32, room: u32) -> vec4f {
  #if ALIGNED
  return select(vec4f(), a[select(0u, at / 4u, room > 0u)], room > 0u);
  #else
  #for k in 0..4
  let v$k = select(0.0, a[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return vec4f(v0, v1, v2, v3);
  #endif
}

fn loadB(at: u32, room: u32) -> vec4f {
  #if ALIGNED
  return select(vec4f(), b[select(0u, at / 4u, room > 0u)], room > 0u);
  #else
  #for k in 0..4
  let v$k = select(0.0, b[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return vec4f(v0, v1, v2, v3);
  #endif
}

// The neighbours that lie in the matrix of those `along` in `line`.
fn roomOf(line: u32, along: u32, lines: u32, length: u32) -> u32 {
  return select(0u, length - min(length, along), line < lines);
}

fn keep(at: u32, room: u32, v: vec4f) {
  #if ALIGNED
  if (room > 0u) { c[at / 4u] = v; }
  #else
  #for k in 0..4
  if ($ku < room) { c[at + $ku] = v[$k]; }
  #end
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
  let at = placeOf(thread);
  #for j in 0..RIGHT
  #for i in 0..DOWN
  #for k in 0..4
  var c$i$k_$j = vec4f();
  #end
  #end
  #end
  // The 4×4 blocks this thread stages, `block` along the tile's side, `quad` along k. Memory is read in its order;
  // where k is contiguous, a block is transposed on its way.
  let aK = !aTransposed();
  let bK = bTransposed();
  let be = THREADS - 1u - thread; // from the other end: where there are threads enough, none stages both
  let hasA = thread < A_BLOCKS * DEEP / 4u;
  let hasB = be < B_BLOCKS * DEEP / 4u;
  let aQuad = select(thread / A_BLOCKS, thread % (DEEP / 4u), aK);
  let bQuad = select(be / B_BLOCKS, be % (DEEP / 4u), bK);
  let aBlock = select(thread % A_BLOCKS, thread / (DEEP / 4u), aK);
  let bBlock = select(be % B_BLOCKS, be / (DEEP / 4u), bK);
  let aLine = select(t.start + aQuad * 4u, t.row + aBlock * 4u, aK);
  let bLine = select(t.start + bQuad * 4u, t.column + bBlock * 4u, bK);
  let aAlong = select(t.row + aBlock * 4u, t.start + aQuad * 4u, aK);
  let bAlong = select(t.column + bBlock * 4u, t.start + bQuad * 4u, bK);
  let aLines = select(t.end, p.M, aK);
  let bLines = select(t.end, p.N, bK);
  let aLength = select(p.M, t.end, aK);
  let bLength = select(p.N, t.end, bK);
  let aStride = select(p.aCol, p.aRow, aK);
  let bStride = select(p.bRow, p.bCol, bK);
  #for i in 0..4
  var x$i: vec4f;
  var y$i: vec4f;
  #end
  var step = 0u;
#import "matmul_tiled_load"
  for (; t.start + step < t.end;) {
    workgroupBarrier();
    if (hasA) {
      let m = transpose(mat4x4f(x0, x1, x2, x3));
      #for i in 0..4
      aTile[(aQuad * 4u + $iu) * A_BLOCKS + (aBlock ^ (aQuad * 2u % A_BLOCKS))] = select(x$i, m[$i], aK);
      #end
    }
    if (hasB) {
      let m = transpose(mat4x4f(y0, y1, y2, y3));
      #for i in 0..4
      bTile[(bQuad * 4u + $iu) * B_BLOCKS + (bBlock ^ (bQuad * 2u % B_BLOCKS))] = select(y$i, m[$i], bK);
      #end
    }
    workgroupBarrier();
    step += DEEP;
#import "matmul_tiled_load"
    for (var k = 0u; k < DEEP; k++) {
      #for i in 0..DOWN
      let u$i = aTile[k * A_BLOCKS + ((at.y + $iu * TALL) ^ (k / 4u * 2u % A_BLOCKS))];
      #end
      #for j in 0..RIGHT
      let v$j = bTile[k * B_BLOCKS + ((at.x + $ju * WIDE) ^ (k / 4u * 2u % B_BLOCKS))];
      #for i in 0..DOWN
      #for k in 0..4
      c$i$k_$j = fma(vec4f(u$i[$k]), v$j, c$i$k_$j);
      #end
      #end
      #end
    }
  }
  #for j in 0..RIGHT
  {
    let column = t.column + at.x * 4u + $ju * (WIDTH / RIGHT);
    #if BIAS
    let last = p.N - 1u;
    #for k in 0..4
    let bias$k = bias[min(column + $ku, last)];
    #end
    let shift = vec4f(bias0, bias1, bias2, bias3);
    #endif
    #if STATS
    var vs: array<V, ROWS>;
    #endif
    #for i in 0..DOWN
    #for k in 0..4
    {
      let row = t.row + $iu * (HEIGHT / DOWN) + at.y * 4u + $ku;
      #if BIAS
      c$i$k_$j += shift;
      #endif
      keep(t.c + row * p.N + column, roomOf(row, column, p.M, p.N), c$i$k_$j);
      #if STATS
      vs[$i * 4 + $k] = c$i$k_$j;
      #endif
    }
    #end
    #end
    #if STATS
    writeStats(vs, min(HEIGHT, p.M - min(t.row, p.M)), thread, (t.row / HEIGHT * p.N + column) / 4u, column < p.N);
    #endif
  }
  #end
}
