enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dk and dv as attention_dkv computes them, and dS besides, on tensor cores (lib/attention_matrix): a workgroup keeps ROWS
// keys and values and passes over queries and dy. S and dy vᵀ have queries as rows: a lane has one, with its lse and Σ y dy;
// P and dS are read as columns where they are the left factor of dv and dk. Halves of dS are 2^n times dS (attention_delta).
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

const SCORES = 4u * TALL + 2u;  // line of a subgroup's scores, in vec4f
const WEIGHTS = 2u * TALL + 1u; // and of its weights
const OTHER = 2u * TILE;        // dy, behind two tiles of queries
const PLACES = SUBGROUPS * DEEP;
const LINES = select(4u * DEEP, ROWS, ROWS > 4u * DEEP); // for the tiles, or the rows that the group keeps as they come
var<workgroup> tiles: array<vec4u, LINES * LINE>;
var<workgroup> scores: array<vec4f, PLACES * SCORES>;
var<workgroup> products: array<vec4f, PLACES * SCORES>;
var<workgroup> weights: array<vec4u, PLACES * WEIGHTS>;
var<workgroup> slopes: array<vec4u, PLACES * WEIGHTS>;

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
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nk);
  let own = thread / 32u * OWN;
  let mine = thread / 32u * DEEP;
  let r = thread % 32u / 2u;
  let h = thread % 2u;
  let slope = p.scale * LOG2E;
  let place = b.n * p.H + b.head;
  let power = powers[place];
  let dsAt = (place - p.firstHead) * p.Nq;
  for (var e = thread; e < ROWS * CHUNKS; e += THREADS) {
    let i = b.first + e / CHUNKS;
    tiles[e / CHUNKS * LINE + e % CHUNKS] = loadKv(keyAt(b, i) + e % CHUNKS * 8u, i < p.Nk);
  }
  workgroupBarrier();
  #for j in 0..TALL
  #for d in 0..PARTS
  let k$j_$d = subgroupMatrixLoad<Right, col_major>(&tiles, (own + $ju * 16u) * LINE + $du * 2u, LINE);
  #end
  #end
  workgroupBarrier();
  for (var e = thread; e < ROWS * CHUNKS; e += THREADS) {
    let i = b.first + e / CHUNKS;
    tiles[e / CHUNKS * LINE + e % CHUNKS] = loadKv(keyAt(b, i) + p.H * D + e % CHUNKS * 8u, i < p.Nk);
  }
  workgroupBarrier();
  #for j in 0..TALL
  #for d in 0..PARTS
  let v$j_$d = subgroupMatrixLoad<Right, col_major>(&tiles, (own + $ju * 16u) * LINE + $du * 2u, LINE);
  var dk$j_$d: Sum;
  var dv$j_$d: Sum;
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
    let x$l = loadQ(queryAt(b, i$l) + c$l % CHUNKS * 8u, i$l < p.Nq);
    let y$l = loadDy(resultAt(b, i$l) + c$l % CHUNKS * 8u, i$l < p.Nq);
    #end
    #for s in 0..SLICES
    let row$s = rows[place * p.Nq + min(start + $su * 16u + r, p.Nq - 1u)];
    {
      #for j in 0..TALL
      var s$j = Sum();
      var d$j = Sum();
      #end
      #for d in 0..PARTS
      let q$d = subgroupMatrixLoad<Left, row_major>(&tiles, tile + $su * 16u * LINE + $du * 2u, LINE);
      let y$d = subgroupMatrixLoad<Left, row_major>(&tiles, OTHER + tile + $su * 16u * LINE + $du * 2u, LINE);
      #for j in 0..TALL
      s$j = subgroupMatrixMultiplyAccumulate(q$d, k$j_$d, s$j);
      d$j = subgroupMatrixMultiplyAccumulate(y$d, v$j_$d, d$j);
      #end
      #end
      #for j in 0..TALL
      subgroupMatrixStore<row_major>(&scores, (mine + $su * 16u) * SCORES + $ju * 4u, s$j, SCORES);
      subgroupMatrixStore<row_major>(&products, (mine + $su * 16u) * SCORES + $ju * 4u, d$j, SCORES);
      #end
    }
    #end
    workgroupBarrier();
    #for s in 0..SLICES
    #for c in 0..TALL
    {
      let i = start + $su * 16u + r;
      let chunk = chunkOf($cu, h, 2u * TALL);
      let at = (mine + $su * 16u + r) * SCORES + chunk * 2u;
      let key = b.first + own + chunk * 8u + vec4u(0u, 1u, 2u, 3u);
      let last = vec4u(select(0u, p.Nk, i < p.Nq));
      let u = select(vec4f(), exp2(fma(scores[at], vec4f(slope), vec4f(-row$s.x))), key < last);
      let v = select(vec4f(), exp2(fma(scores[at + 1u], vec4f(slope), vec4f(-row$s.x))), key + 4u < last);
      let to = (mine + $su * 16u + r) * WEIGHTS + chunk;
      weights[to] = eight(u, v);
      let w = eight(power.x * u * (products[at] - row$s.y), power.x * v * (products[at + 1u] - row$s.y));
      slopes[to] = w;
      if ((i < p.Nq) & (key.x < p.dsRow)) { ds[((dsAt + i) * p.dsRow + key.x) / 8u] = w; }
    }
    #end
    #end
    #for l in 0..LOADS
    if ((LOADS * THREADS == DEEP * CHUNKS) | (thread + $lu * THREADS < DEEP * CHUNKS)) {
      tiles[TILE - tile + to$l] = x$l;
      tiles[OTHER + TILE - tile + to$l] = y$l;
    }
    #end
    workgroupBarrier();
    #for s in 0..SLICES
    {
      #for j in 0..TALL
      let w$j = subgroupMatrixLoad<Left, col_major>(&weights, (mine + $su * 16u) * WEIGHTS + $ju * 2u, WEIGHTS);
      let t$j = subgroupMatrixLoad<Left, col_major>(&slopes, (mine + $su * 16u) * WEIGHTS + $ju * 2u, WEIGHTS);
      #end
      #for d in 0..PARTS
      let q$d = subgroupMatrixLoad<Right, row_major>(&tiles, tile + $su * 16u * LINE + $du * 2u, LINE);
      let y$d = subgroupMatrixLoad<Right, row_major>(&tiles, OTHER + tile + $su * 16u * LINE + $du * 2u, LINE);
      #for j in 0..TALL
      dv$j_$d = subgroupMatrixMultiplyAccumulate(w$j, y$d, dv$j_$d);
      dk$j_$d = subgroupMatrixMultiplyAccumulate(t$j, q$d, dk$j_$d);
      #end
      #end
    }
    #end
    tile = TILE - tile;
  }
  let back = p.scale * power.y;
  #for d in 0..PARTS
  workgroupBarrier();
  #for j in 0..TALL
  subgroupMatrixStore<row_major>(&scores, mine * SCORES + $ju * 4u, dk$j_$d, SCORES);
  subgroupMatrixStore<row_major>(&products, mine * SCORES + $ju * 4u, dv$j_$d, SCORES);
  #end
  workgroupBarrier();
  #for j in 0..TALL
  {
    let e = (mine + r) * SCORES + $ju * 4u + h * 2u;
    let i = b.first + own + $ju * 16u + r;
    let to = keyAt(b, i) + $du * 16u + h * 8u;
    if (i < p.Nk) {
      keep(to, back * scores[e], back * scores[e + 1u]);
      keep(to + p.H * D, products[e], products[e + 1u]);
    }
  }
  #end
  #end
}
