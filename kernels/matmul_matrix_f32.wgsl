enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// c = a b of f32 on tensor cores, by three products of halves (lib/mma, lib/mma_f32). ALIGNED where every operand's
// contiguous axis divides by 8: memory is read and written by 16 bytes then, and one by one else.
const ALIGNED = 1u; // @tune
const AHEAD = 1u; // @tune
#import "index"
#import "matmul"
#import "mma"
#import "mma_f32"

#if ALIGNED
@group(0) @binding(0) var<storage, read> a: array<vec4f>; // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<vec4f>; // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>; // [batch, split, M, N]
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

// How many elements of a chunk lie in the matrix, 8 or more where all do; `side` is where the tile begins along its
// side, which has `size`.
fn roomOf(q: vec2u, k: bool, side: u32, size: u32, start: u32, end: u32) -> u32 {
  let line = q.x + select(start, side, k);
  let along = q.y + select(side, start, k);
  let stop = select(size, end, k);
  return select(0u, stop - min(stop, along), line < select(end, size, k));
}

// 8 values from element `at` on, 0 from `room` on. No branches: they cost compile time.
fn loadA(at: u32, room: u32) -> Eight {
  #if ALIGNED
  let ok = room > 0u;
  return Eight(select(vec4f(), a[select(0u, at / 4u, ok)], ok), select(vec4f(), a[select(0u, at / 4u + 1u, ok)], ok));
  #else
  #for k in 0..8
  let v$k = select(0.0, a[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return Eight(vec4f(v0, v1, v2, v3), vec4f(v4, v5, v6, v7));
  #endif
}

fn loadB(at: u32, room: u32) -> Eight {
  #if ALIGNED
  let ok = room > 0u;
  return Eight(select(vec4f(), b[select(0u, at / 4u, ok)], ok), select(vec4f(), b[select(0u, at / 4u + 1u, ok)], ok));
  #else
  #for k in 0..8
  let v$k = select(0.0, b[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return Eight(vec4f(v0, v1, v2, v3), vec4f(v4, v5, v6, v7));
  #endif
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let at = t.c + (t.row + row) * p.N + t.column + column;
  let room = select(0u, p.N - min(p.N, t.column + column), t.row + row < p.M);
  #if ALIGNED
  if (room > 0u) {
    c[at / 4u] = u;
    c[at / 4u + 1u] = v;
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
  let aStep = DEEP * select(p.aCol, 1u, A_K);
  let bStep = DEEP * select(p.bRow, 1u, B_K);
  let steps = max((t.end - t.start + DEEP - 1u) / DEEP, 1u);
  var most = vec2f();
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let aFrom$i = t.a + select((t.start + aq$i.x) * p.aCol + t.row, (t.row + aq$i.x) * p.aRow + t.start, A_K) + aq$i.y;
  let as$i = (thread + $iu * THREADS) * 40503u / 16u % steps;
  let ax$i = loadA(aFrom$i + as$i * aStep, roomOf(aq$i, A_K, t.row, p.M, t.start + as$i * DEEP, t.end));
  most.x = max(most.x, largestOf(Eight(finiteOf(ax$i.u), finiteOf(ax$i.v))));
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  let bFrom$i = t.b + select((t.start + bq$i.x) * p.bRow + t.column, (t.column + bq$i.x) * p.bCol + t.start, B_K)
    + bq$i.y;
  let bs$i = (thread + $iu * THREADS) * 40503u / 16u % steps;
  let bx$i = loadB(bFrom$i + bs$i * bStep, roomOf(bq$i, B_K, t.column, p.N, t.start + bs$i * DEEP, t.end));
  most.y = max(most.y, largestOf(Eight(finiteOf(bx$i.u), finiteOf(bx$i.v))));
  #end
  let sample = largestOfAll(most, thread);
  var e = vec2i(exponentOf(sample.x, GUESS), exponentOf(sample.y, GUESS));
  for (var turn = 0u; turn < 2u; turn++) {
    let scale = vec2f(powerOf(e.x), powerOf(e.y));
    #for i in 0..TALL
    #for j in 0..WIDE
    c$i_$j = Sum();
    #end
    #end
    #for i in 0..A_LOADS
    var aAt$i = aFrom$i;
    #if AHEAD
    var x$i = loadA(aAt$i, roomOf(aq$i, A_K, t.row, p.M, t.start, t.end));
    #endif
    #end
    #for i in 0..B_LOADS
    var bAt$i = bFrom$i;
    #if AHEAD
    var y$i = loadB(bAt$i, roomOf(bq$i, B_K, t.column, p.N, t.start, t.end));
    #endif
    #end
    for (var start = t.start; start < t.end; start += DEEP) {
      #if AHEAD
      #else
      #for i in 0..A_LOADS
      let x$i = loadA(aAt$i, roomOf(aq$i, A_K, t.row, p.M, start, t.end));
      aAt$i += aStep;
      #end
      #for i in 0..B_LOADS
      let y$i = loadB(bAt$i, roomOf(bq$i, B_K, t.column, p.N, start, t.end));
      bAt$i += bStep;
      #end
      #endif
      workgroupBarrier();
      #for i in 0..A_LOADS
      most.x = max(most.x, largestOf(x$i));
      stageA(aq$i.x * A_LINE + aq$i.y / 8u, x$i, scale.x);
      #end
      #for i in 0..B_LOADS
      most.y = max(most.y, largestOf(y$i));
      stageB(bq$i.x * B_LINE + bq$i.y / 8u, y$i, scale.y);
      #end
      workgroupBarrier();
      #if AHEAD
      #for i in 0..A_LOADS
      aAt$i += aStep;
      x$i = loadA(aAt$i, roomOf(aq$i, A_K, t.row, p.M, start + DEEP, t.end));
      #end
      #for i in 0..B_LOADS
      bAt$i += bStep;
      y$i = loadB(bAt$i, roomOf(bq$i, B_K, t.column, p.N, start + DEEP, t.end));
      #end
      #endif
#import "mma_multiply"
    }
    let peak = largestOfAll(vec2f(beyond(most.x, e.x), beyond(most.y, e.y)), thread);
    if (thread == 0u) { again = select(0u, 1u, max(peak.x, peak.y) > 0.0); }
    if (workgroupUniformLoad(&again) == 0u) { break; }
    e = vec2i(select(e.x, exponentOf(peak.x, LIMIT), peak.x > 0.0), select(e.y, exponentOf(peak.y, LIMIT), peak.y > 0.0));
  }
  let unscale = vec2f(powerOf(-(e.x + e.y) / 2), powerOf(-(e.x + e.y) - -(e.x + e.y) / 2));
  #if STATS
  let rows = min(16u * TALL, p.M - min(t.row + row, p.M));
  let place = ((t.row + row) / (16u * TALL) * p.N + t.column) / 4u;
  let holds = p.N - min(t.column, p.N);
  #endif
#import "mma_store"
}
