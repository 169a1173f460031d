enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// c = a b on tensor cores (lib/mma). With AHEAD the next tile is on its way to registers while one is used, where they
// suffice. ALIGNED where every operand's contiguous axis divides by 8: memory is read and written by 16 bytes then, and
// one by one else. A TAIL is where the steps of k are not whole tiles. With LOW factors are f32, each the sum of two
// halves (lib/mma_f32).
const ALIGNED = 1u; // @tune
const TAIL = 0u; // @tune
const AHEAD = 1u; // @tune
#import "index"
#import "matmul"
#import "mma"
#import "mma_f32"

#if ALIGNED
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
#if F16_0
@group(0) @binding(0) var<storage, read> a: array<vec4u>; // batch of [M, K], at aRow and aCol
#else
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
#endif
#if F16_1
@group(0) @binding(1) var<storage, read> b: array<vec4u>; // batch of [K, N], at bRow and bCol
#else
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
#endif
#if F16_2
@group(0) @binding(2) var<storage, read_write> c: array<vec4u>; // [batch, split, M, N]
#else
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
#endif
#else
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
#endif
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [N]
#endif
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of 16 TALL of M, N], less the first
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of 16 TALL of M, N]
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

#if ALIGNED
// Chunk `at`.
fn loadA(at: u32) -> Chunk {
  #if F16_0
  return chunkOfHalves(a[at]);
  #else
  return chunk(a[2u * at], a[2u * at + 1u]);
  #endif
}

fn loadB(at: u32) -> Chunk {
  #if F16_1
  return chunkOfHalves(b[at]);
  #else
  return chunk(b[2u * at], b[2u * at + 1u]);
  #endif
}
#else
// How many elements of a chunk lie in the matrix, 8 or more where all do; `side` is where the tile begins along its
// side, which has `size`.
fn roomOf(q: vec2u, k: bool, side: u32, size: u32, start: u32, end: u32) -> u32 {
  let line = q.x + select(start, side, k);
  let along = q.y + select(side, start, k);
  let stop = select(size, end, k);
  return select(0u, stop - min(stop, along), line < select(end, size, k));
}

// 8 neighbours from element `at` on, 0 from `room` on. No branches: they cost compile time.
fn loadA(at: u32, room: u32) -> Chunk {
  #for k in 0..8
  let v$k = select(0.0, a[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return chunk(vec4f(v0, v1, v2, v3), vec4f(v4, v5, v6, v7));
}

fn loadB(at: u32, room: u32) -> Chunk {
  #for k in 0..8
  let v$k = select(0.0, b[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return chunk(vec4f(v0, v1, v2, v3), vec4f(v4, v5, v6, v7));
}
#endif

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let at = t.c + (t.row + row) * p.N + t.column + column;
  let room = select(0u, p.N - min(p.N, t.column + column), t.row + row < p.M);
  #if ALIGNED
  if (room > 0u) {
    #if F16_2
    c[at / 8u] = vec4u(halves(u), halves(v));
    #else
    c[at / 4u] = u;
    c[at / 4u + 1u] = v;
    #endif
  }
  #else
  #for k in 0..4
  if ($ku < room) { c[at + $ku] = u[$k]; }
  #end
  #for k in 4..8
  if ($ku < room) { c[at + $ku] = v[$k - 4]; }
  #end
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
  let mine = thread / 32u * 256u;
  let row = thread / 32u / ACROSS * 16u * TALL;
  let column = thread / 32u % ACROSS * 16u * WIDE;
  #for i in 0..TALL
  #for j in 0..WIDE
  var c$i_$j: Sum;
  #end
  #end
#import "matmul_matrix_begin"
  #if LOW
  let tiles = (t.end - t.start + DEEP - 1u) / DEEP;
  var most = vec2f(); // the largest values so far
  if (tiles > 0u) {
#import "matmul_matrix_sample"
  }
  var exponents = exponentsOf(overAll(most, thread));
  for (var turn = 0u; turn < 2u; turn++) {
#import "mma_f32_begin"
  #endif
  var next = t.start;
  #if AHEAD
  if (next < t.end) {
#import "matmul_matrix_load"
  }
  #endif
  for (; next < t.end;) {
    #if AHEAD
    #else
#import "matmul_matrix_load"
    #endif
    workgroupBarrier();
#import "mma_stage"
    workgroupBarrier();
    next += DEEP;
    #if AHEAD
    if (next < t.end) {
#import "matmul_matrix_load"
    }
    #endif
#import "mma_multiply"
  }
  #if LOW
#import "mma_f32_end"
    #for i in 0..A_LOADS
    aAt$i -= tiles * aStep;
    #end
    #for i in 0..B_LOADS
    bAt$i -= tiles * bStep;
    #end
  }
  let unscale = unscaleOf(exponents);
  #endif
  #if STATS
  let rows = min(16u * TALL, p.M - min(t.row + row, p.M));
  let place = ((t.row + row) / (16u * TALL) * p.N + t.column) / 4u;
  let holds = p.N - min(t.column, p.N);
  #endif
#import "mma_store"
}
