enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dq = scale dS k of every head, from the halves of 2^n dS that attention_dkv_matrix left: on tensor cores
// (lib/attention_matrix), a workgroup keeps ROWS queries and passes over dS and k.
#import "index"
#import "attention_matrix"
#import "attention_rows"

const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_3 = 0u; // @tune
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
#if F16_0
@group(0) @binding(0) var<storage, read> kv: array<vec4u>;
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
const DS_LOADS = 2u; // @tune: ROWS DEEP / 8 THREADS
var<workgroup> tiles: array<vec4u, 2u * TILE>; // of k
var<workgroup> slopes: array<vec4u, 2u * STEEP>;
var<workgroup> edge: array<vec4f, SUBGROUPS * 64u>; // a matrix a subgroup, on its way to dq

// 8 halves from element `at` on where `ok`; else 0.
fn loadKv(at: u32, ok: bool) -> vec4u {
  #if F16_0
  return select(vec4u(), kv[at / 8u], ok);
  #else
  return select(vec4u(), eight(kv[at / 4u], kv[at / 4u + 1u]), ok);
  #endif
}

fn keep(at: u32, u: vec4f, v: vec4f) {
  #if F16_3
  dq[at / 8u] = eight(u, v);
  #else
  dq[at / 4u] = u;
  dq[at / 4u + 1u] = v;
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nq);
  let own = thread / 32u * OWN;
  let r = thread % 32u / 2u;
  let h = thread % 2u;
  let place = b.n * p.H + b.head;
  #for i in 0..TALL
  #for d in 0..PARTS
  var dq$i_$d: Sum;
  #end
  #end
  #for l in 0..LOADS
  let c$l = min(thread + $lu * THREADS, DEEP * CHUNKS - 1u);
  let to$l = c$l / CHUNKS * LINE + c$l % CHUNKS;
  let i$l = c$l / CHUNKS;
  tiles[to$l] = loadKv(keyAt(b, i$l) + c$l % CHUNKS * 8u, i$l < p.Nk);
  #end
  #for l in 0..DS_LOADS
  let e$l = thread + $lu * THREADS;
  let row$l = ((place - p.firstHead) * p.Nq + min(b.first + e$l / (DEEP / 8u), p.Nq - 1u)) * p.dsRow;
  let column$l = e$l % (DEEP / 8u) * 8u;
  let put$l = e$l / (DEEP / 8u) * SLOPES + e$l % (DEEP / 8u);
  slopes[put$l] = select(vec4u(), ds[(row$l + min(column$l, p.dsRow - 8u)) / 8u], column$l < p.dsRow);
  #end
  workgroupBarrier();
  var tile = 0u;
  var steep = 0u;
  for (var start = 0u; start < p.Nk; start += DEEP) {
    #for l in 0..LOADS
    let k$l = loadKv(keyAt(b, start + DEEP + i$l) + c$l % CHUNKS * 8u, start + DEEP + i$l < p.Nk);
    #end
    #for l in 0..DS_LOADS
    let x$l = select(vec4u(), ds[(row$l + min(start + DEEP + column$l, p.dsRow - 8u)) / 8u], start + DEEP + column$l < p.dsRow);
    #end
    #for s in 0..SLICES
    {
      #for i in 0..TALL
      let t$i = subgroupMatrixLoad<Left, row_major>(&slopes, steep + (own + $iu * 16u) * SLOPES + $su * 2u, SLOPES);
      #end
      #for d in 0..PARTS
      let k$d = subgroupMatrixLoad<Right, row_major>(&tiles, tile + $su * 16u * LINE + $du * 2u, LINE);
      #for i in 0..TALL
      dq$i_$d = subgroupMatrixMultiplyAccumulate(t$i, k$d, dq$i_$d);
      #end
      #end
    }
    #end
    tile = TILE - tile;
    steep = STEEP - steep;
    #for l in 0..LOADS
    if ((LOADS * THREADS == DEEP * CHUNKS) | (thread + $lu * THREADS < DEEP * CHUNKS)) { tiles[tile + to$l] = k$l; }
    #end
    #for l in 0..DS_LOADS
    slopes[steep + put$l] = x$l;
    #end
    workgroupBarrier();
  }
  let back = p.scale * powers[place].y;
  #for i in 0..TALL
  #for d in 0..PARTS
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&edge, thread / 32u * 64u, dq$i_$d, 4u);
  workgroupBarrier();
  {
    let e = thread * 2u;
    let i = b.first + own + $iu * 16u + r;
    if (i < p.Nq) { keep(queryAt(b, i) + $du * 16u + h * 8u, back * edge[e], back * edge[e + 1u]); }
  }
  #end
  #end
}
