enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dk and dv as attention_dkv computes them, and dS besides, on tensor cores (lib/attention_matrix): a workgroup keeps ROWS
// keys and values and passes over queries and dy. Two subgroups share 16 TALL keys: one computes S = q kᵀ and dv = Pᵀ dy, the
// other dy vᵀ and dk = dSᵀ q, by the same text, and their 64 lanes P and dS from both. Queries are rows, so that a lane has
// few with their lse and Σ y dy; P and dS are read as columns where they are left factors. Halves of dS are 2^n times dS (attention_delta).
#import "index"
#import "attention_matrix"
#import "attention_rows"

const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
const F16_5 = 0u; // @tune
#if F16_0
@group(0) @binding(0) var<storage, read> q: array<vec4u>;         // [batch, Nq, H, D], rows qRow apart
#else
@group(0) @binding(0) var<storage, read> q: array<vec4f>;
#endif
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
#if F16_1
@group(0) @binding(1) var<storage, read> kv: array<vec4u>;
#else
@group(0) @binding(1) var<storage, read> kv: array<vec4f>;
#endif
#if F16_2
@group(0) @binding(2) var<storage, read> dy: array<vec4u>;        // [batch, Nq, H, D]
#else
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
#endif
@group(0) @binding(3) var<storage, read> rows: array<vec2f>;      // [batch, H, Nq], lse / ln 2 and Σ y dy
@group(0) @binding(4) var<storage, read> powers: array<vec2f>;    // [batch, H], 2^n and 2^-n
#if F16_5
@group(0) @binding(5) var<storage, read_write> dkv: array<vec4u>; // like kv
#else
@group(0) @binding(5) var<storage, read_write> dkv: array<vec4f>;
#endif
@group(0) @binding(6) var<storage, read_write> ds: array<vec4u>;  // [batch, H, Nq, dsRow], halves, 2^n dS, 0 from Nk on
@group(1) @binding(0) var<uniform> p: Params;

const SCORES = 4u * TALL + 1u;  // line of a subgroup's scores, in vec4f
const WEIGHTS = 2u * TALL + 1u; // and of its weights
const PLACE = DEEP * SCORES;
const WEIGHT_PLACE = DEEP * WEIGHTS;
const OTHER = 2u * TILE;        // dy, behind two tiles of queries
const EACH = 1u; // @tune: chunks of 8 scores a lane, DEEP TALL / 32
const LINES = select(4u * DEEP, 2u * ROWS, 2u * ROWS > 4u * DEEP); // for the tiles, or the rows that the group keeps as they come
var<workgroup> tiles: array<vec4u, LINES * LINE>;
var<workgroup> scores: array<vec4f, SUBGROUPS * PLACE>;         // S, then dy vᵀ, of every pair
var<workgroup> weights: array<vec4u, SUBGROUPS * WEIGHT_PLACE>; // P, then dS

// 8 halves from element `at` on where `ok`; else 0.
fn loadQ(at: u32, ok: bool) -> vec4u {
  #if F16_0
  return select(vec4u(), q[at / 8u], ok);
  #else
  return select(vec4u(), eight(q[at / 4u], q[at / 4u + 1u]), ok);
  #endif
}

fn loadKv(at: u32, ok: bool) -> vec4u {
  #if F16_1
  return select(vec4u(), kv[at / 8u], ok);
  #else
  return select(vec4u(), eight(kv[at / 4u], kv[at / 4u + 1u]), ok);
  #endif
}

fn loadDy(at: u32, ok: bool) -> vec4u {
  #if F16_2
  return select(vec4u(), dy[at / 8u], ok);
  #else
  return select(vec4u(), eight(dy[at / 4u], dy[at / 4u + 1u]), ok);
  #endif
}

fn keep(at: u32, u: vec4f, v: vec4f) {
  #if F16_5
  dkv[at / 8u] = eight(u, v);
  #else
  dkv[at / 4u] = u;
  dkv[at / 4u + 1u] = v;
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nk);
  let pair = thread / 64u;
  let role = thread / 32u % 2u;
  let own = pair * OWN;
  let place = (2u * pair + role) * PLACE;
  let put = (2u * pair + role) * WEIGHT_PLACE;
  let mine = role * OTHER;           // the tiles of the first factor, queries or dy
  let others = OTHER - mine;         // and of the last, dy or queries
  let slope = p.scale * LOG2E;
  let head = b.n * p.H + b.head;
  let power = powers[head];
  for (var e = thread; e < ROWS * CHUNKS; e += THREADS) {
    let i = b.first + e / CHUNKS;
    tiles[e / CHUNKS * LINE + e % CHUNKS] = loadKv(keyAt(b, i) + e % CHUNKS * 8u, i < p.Nk);
    tiles[ROWS * LINE + e / CHUNKS * LINE + e % CHUNKS] = loadKv(keyAt(b, i) + p.H * D + e % CHUNKS * 8u, i < p.Nk);
  }
  workgroupBarrier();
  #for j in 0..TALL
  #for d in 0..PARTS
  let k$j_$d = subgroupMatrixLoad<Right, col_major>(&tiles, (role * ROWS + own + $ju * 16u) * LINE + $du * 2u, LINE);
  var y$j_$d: Sum;
  #end
  #end
  workgroupBarrier();
  #for l in 0..LOADS
  let c$l = min(thread + $lu * THREADS, DEEP * CHUNKS - 1u);
  let to$l = c$l / CHUNKS * LINE + c$l % CHUNKS;
  {
    let i = c$l / CHUNKS;
    tiles[to$l] = loadQ(queryAt(b, i) + c$l % CHUNKS * 8u, i < p.Nq);
    tiles[OTHER + to$l] = loadDy(resultAt(b, i) + c$l % CHUNKS * 8u, i < p.Nq);
  }
  #end
  workgroupBarrier();
  var tile = 0u;
  for (var start = 0u; start < p.Nq; start += DEEP) {
    #for l in 0..LOADS
    let i$l = start + DEEP + c$l / CHUNKS;
    let u$l = loadQ(queryAt(b, i$l) + c$l % CHUNKS * 8u, i$l < p.Nq);
    let v$l = loadDy(resultAt(b, i$l) + c$l % CHUNKS * 8u, i$l < p.Nq);
    #end
    #for c in 0..EACH
    let e$c = thread % 64u + $cu * 64u;
    let r$c = e$c / (2u * TALL);
    let row$c = rows[head * p.Nq + min(start + r$c, p.Nq - 1u)];
    #end
    #for s in 0..SLICES
    {
      #for j in 0..TALL
      var s$j = Sum();
      #end
      #for d in 0..PARTS
      let q$d = subgroupMatrixLoad<Left, row_major>(&tiles, mine + tile + $su * 16u * LINE + $du * 2u, LINE);
      #for j in 0..TALL
      s$j = subgroupMatrixMultiplyAccumulate(q$d, k$j_$d, s$j);
      #end
      #end
      #for j in 0..TALL
      subgroupMatrixStore<row_major>(&scores, place + $su * 16u * SCORES + $ju * 4u, s$j, SCORES);
      #end
    }
    #end
    workgroupBarrier();
    #for c in 0..EACH
    {
      let chunk = e$c % (2u * TALL);
      let at = 2u * pair * PLACE + r$c * SCORES + chunk * 2u;
      let i = start + r$c;
      let key = b.first + own + chunk * 8u + vec4u(0u, 1u, 2u, 3u);
      let last = vec4u(select(0u, p.Nk, i < p.Nq));
      let u = select(vec4f(), exp2(fma(scores[at], vec4f(slope), vec4f(-row$c.x))), key < last);
      let v = select(vec4f(), exp2(fma(scores[at + 1u], vec4f(slope), vec4f(-row$c.x))), key + 4u < last);
      let du = power.x * u * (scores[PLACE + at] - row$c.y);
      let dv = power.x * v * (scores[PLACE + at + 1u] - row$c.y);
      let to = 2u * pair * WEIGHT_PLACE + r$c * WEIGHTS + chunk;
      let w = eight(du, dv);
      weights[to] = eight(u, v);
      weights[WEIGHT_PLACE + to] = w;
      if ((i < p.Nq) & (key.x < p.dsRow)) { ds[(((head - p.firstHead) * p.Nq + i) * p.dsRow + key.x) / 8u] = w; }
    }
    #end
    #for l in 0..LOADS
    if ((LOADS * THREADS == DEEP * CHUNKS) | (thread + $lu * THREADS < DEEP * CHUNKS)) {
      tiles[TILE - tile + to$l] = u$l;
      tiles[OTHER + TILE - tile + to$l] = v$l;
    }
    #end
    workgroupBarrier();
    #for s in 0..SLICES
    {
      #for j in 0..TALL
      let w$j = subgroupMatrixLoad<Left, col_major>(&weights, put + $su * 16u * WEIGHTS + $ju * 2u, WEIGHTS);
      #end
      #for d in 0..PARTS
      let x$d = subgroupMatrixLoad<Right, row_major>(&tiles, others + tile + $su * 16u * LINE + $du * 2u, LINE);
      #for j in 0..TALL
      y$j_$d = subgroupMatrixMultiplyAccumulate(w$j, x$d, y$j_$d);
      #end
      #end
    }
    #end
    tile = TILE - tile;
  }
  let back = select(p.scale * power.y, 1.0, role == 0u);
  let r = thread % 32u / 2u;
  let h = thread % 2u;
  #for d in 0..PARTS
  workgroupBarrier();
  #for j in 0..TALL
  subgroupMatrixStore<row_major>(&scores, place + $ju * 4u, y$j_$d, SCORES);
  #end
  workgroupBarrier();
  #for j in 0..TALL
  {
    let e = place + r * SCORES + $ju * 4u + h * 2u;
    let i = b.first + own + $ju * 16u + r;
    if (i < p.Nk) {
      keep(keyAt(b, i) + select(p.H * D, 0u, role == 1u) + $du * 16u + h * 8u, back * scores[e], back * scores[e + 1u]);
    }
  }
  #end
  #end
}
