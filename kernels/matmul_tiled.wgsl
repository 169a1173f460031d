// c = a b (lib/blocks). A workgroup computes HEIGHT × WIDTH of c. ALIGNED where every operand's contiguous axis divides
// by 4, else all is read and written one by one. A TAIL is where the steps of k are not whole tiles.
const ALIGNED = 1u; // @tune
const TAIL = 0u; // @tune
#import "index"
#import "matmul"
#import "blocks"

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
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of M, N], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of M, N]
#import "blocks_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;
#import "matmul_tiled_load"

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let at = t.c + (t.row + row) * p.N + t.column + column;
  let room = select(0u, p.N - min(p.N, t.column + column), t.row + row < p.M);
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
#import "blocks_begin"
  #for i in 0..LOADS
  var lines$i = linesOf(t, s$i);
  let step$i = DEEP * select(select(p.bRow, 1u, B_T == 1u), select(1u, p.aCol, A_T == 1u), s$i.isA) / UNIT;
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
#import "blocks_multiply"
  }
  #if STATS
  let rows = min(HEIGHT, p.M - min(t.row, p.M));
  let place = (t.row / HEIGHT * p.N + t.column) / 4u;
  let holds = p.N - min(p.N, t.column);
  #endif
#import "blocks_store"
}
