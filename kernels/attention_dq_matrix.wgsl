enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dq = scale Σ over keys of dS k, from the halves of 2^n dS that attention_dkv_matrix leaves, on tensor cores
// (lib/attention_matrix).
// A workgroup computes ROWS rows of dq and passes over dS and k, each read once; of 32 rows a subgroup has half the
// columns.
#import "index"
#import "attention_matrix"
#import "attention_rows"

const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_3 = 0u; // @tune
#if F16_0
@group(0) @binding(0) var<storage, read> kv: array<vec4u>;       // [batch, Nk, (k, v), H, D], from kStart, kvRow apart
#else
@group(0) @binding(0) var<storage, read> kv: array<vec4f>;
#endif
@group(0) @binding(1) var<storage, read> powers: array<vec2f>;   // [batch, H], 2^n and 2^-n
@group(0) @binding(2) var<storage, read> ds: array<vec4u>;       // [heads, Nq, dsRow], halves, 2^n dS, 0 from Nk on
#if F16_3
@group(0) @binding(3) var<storage, read_write> dq: array<vec4u>; // like q
#else
@group(0) @binding(3) var<storage, read_write> dq: array<vec4f>;
#endif
@group(1) @binding(0) var<uniform> p: Params;

const SLOPES = DEEP / 8u + 1u; // line of a tile of dS
const STEEP = ROWS * SLOPES;
const EDGE = 9u; // line of a subgroup's 16 × 32 of dq
var<workgroup> tiles: array<vec4u, 2u * TILE>;   // of k
var<workgroup> slopes: array<vec4u, 2u * STEEP>; // of dS
var<workgroup> edge: array<vec4f, ROWS * EDGE>;  // parts of dq, on their way to memory

fn loadKv(at: u32) -> vec4u {
  #if F16_0
  return kv[at];
  #else
  return eight(kv[2u * at], kv[2u * at + 1u]);
  #endif
}

fn keep(at: u32, u: vec4f, v: vec4f) {
  #if F16_3
  dq[at] = eight(u, v);
  #else
  dq[2u * at] = u;
  dq[2u * at + 1u] = v;
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nq);
  let own = thread / 64u * 32u;
  let works = b.first + own < p.Nq; // of the last rows, not all pairs have some
  let role = thread / 32u % 2u;
  let mine = role * MINE * 2u; // this subgroup's columns
  let head = b.n * p.H + b.head;
  #for i in 0..2
  #for d in 0..MINE
  var y$i_$d: Sum;
  #end
  // of dS 4 chunks a row of a tile, two a thread
  let line$i = (thread + $iu * THREADS) / 4u;
  let put$i = line$i * SLOPES + thread % 4u;
  let row$i = ((head - p.firstHead) * p.Nq + min(b.first + line$i, p.Nq - 1u)) * dsRow();
  var dsAt$i = row$i + thread % 4u;
  slopes[put$i] = ds[dsAt$i];
  #end
  #for l in 0..LOADS
  let e$l = thread + $lu * THREADS;
  var at$l = keyAt(b, e$l / CHUNKS) + e$l % CHUNKS;
  let end$l = keyAt(b, p.Nk) + e$l % CHUNKS;
  if (e$l < IN_TILE) { tiles[inTile(e$l)] = loadKv(at$l); }
  #end
  workgroupBarrier();
  var tile = 0u;
  var steep = 0u;
  for (var start = 0u; start < p.Nk; start += DEEP) {
    #for l in 0..LOADS
    at$l = min(at$l + DEEP * p.kvRow / WORD, end$l);
    let k$l = loadKv(at$l);
    #end
    #for i in 0..2
    dsAt$i = min(dsAt$i + 4u, row$i + dsRow() - 1u);
    let x$i = ds[dsAt$i];
    #end
    #for s in 0..2
    if (works) {
      #for i in 0..2
      let t$i = subgroupMatrixLoad<Left, row_major>(&slopes, steep + (own + $iu * 16u) * SLOPES + $su * 2u, SLOPES);
      #end
      #for d in 0..MINE
      let k$d = subgroupMatrixLoad<Right, row_major>(&tiles, tile + mine + $su * 16u * LINE + $du * 2u, LINE);
      #for i in 0..2
      y$i_$d = subgroupMatrixMultiplyAccumulate(t$i, k$d, y$i_$d);
      #end
      #end
    }
    #end
    tile = TILE - tile;
    steep = STEEP - steep;
    #for l in 0..LOADS
    if ((LOADS * THREADS == IN_TILE) | (e$l < IN_TILE)) { tiles[tile + inTile(e$l)] = k$l; }
    #end
    #for i in 0..2
    slopes[steep + put$i] = x$i;
    #end
    workgroupBarrier();
  }
  let back = p.scale * powers[head].y;
  let r = thread / 2u;
  let h = thread % 2u;
  let row = b.first + r;
  let to = queryAt(b, row);
  #for d in 0..MINE
  workgroupBarrier();
  #for i in 0..2
  subgroupMatrixStore<row_major>(&edge, (own + $iu * 16u) * EDGE + role * 4u, y$i_$d, EDGE);
  #end
  workgroupBarrier();
  #for j in 0..2
  if (row < p.Nq) {
    let e = r * EDGE + $ju * 4u + h * 2u;
    keep(to + ($ju * MINE + $du) * 2u + h, back * edge[e], back * edge[e + 1u]);
  }
  #end
  #end
}
