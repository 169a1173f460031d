// c = a b.
// A workgroup computes HEIGHT × WIDTH of c, each thread 4 DOWN × 4 RIGHT in registers as blocks of 4×4 that lie
// HEIGHT / DOWN and WIDTH / RIGHT apart, so that workgroup memory is read by vec4 without bank conflicts. A thread
// stages blocks of 4×4 of the tiles of DEEP steps of k by four vec4 loads each, which are on their way while the tile
// before is used. ALIGNED where every operand's contiguous axis divides by 4, else all is read and written one by one.
// A TAIL is where the steps of k are not whole tiles.
const ALIGNED = 1u; // @tune
const TAIL = 0u; // @tune
const A_T = 0u; // @tune
const B_T = 0u; // @tune
const HEIGHT = 128u; // @tune
const WIDTH = 128u; // @tune
const DEEP = 8u; // @tune
const DOWN = 2u; // @tune
const RIGHT = 2u; // @tune
const LOADS = 1u; // @tune: blocks that a thread stages, (HEIGHT + WIDTH) DEEP / 16 THREADS
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

const A_LINE = HEIGHT / 4u + 1u; // one more than blocks, which spreads transposed stores over the banks
const B_LINE = WIDTH / 4u + 1u;
var<workgroup> aTile: array<vec4f, DEEP * A_LINE>; // [DEEP k, blocks of 4]
var<workgroup> bTile: array<vec4f, DEEP * B_LINE>;
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of M, N], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of M, N]
#import "matmul_tiled_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;
#import "matmul_tiled_load"

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
  #for i in 0..LOADS
  let s$i = stagedBy(thread + $iu * THREADS);
  var lines$i = linesOf(t, s$i);
  let step$i = DEEP * select(select(p.bRow, 1u, B_T == 1u), select(1u, p.aCol, A_T == 1u), s$i.isA) / UNIT;
  var x$i: mat4x4f;
  #end
  var next = t.start;
  if (next < t.end) {
    #for i in 0..LOADS
    x$i = load(t, s$i, lines$i, next);
    #end
  }
  for (; next < t.end;) {
    workgroupBarrier();
    #for i in 0..LOADS
    stage(s$i, x$i);
    lines$i += step$i;
    #end
    workgroupBarrier();
    next += DEEP;
    if (next < t.end) {
      #for i in 0..LOADS
      x$i = load(t, s$i, lines$i, next);
      #end
    }
    #for k in 0..DEEP
    {
      #for i in 0..DOWN
      let u$i = aTile[$ku * A_LINE + at.y + $iu * TALL];
      #end
      #for j in 0..RIGHT
      let v$j = bTile[$ku * B_LINE + at.x + $ju * WIDE];
      #for i in 0..DOWN
      #for n in 0..4
      c$i$n_$j = fma(vec4f(u$i[$n]), v$j, c$i$n_$j);
      #end
      #end
      #end
    }
    #end
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
      keep(t.c + row * p.N + column, select(0u, p.N - min(p.N, column), row < p.M), c$i$k_$j);
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
