enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dv = Σ over queries of P dy, dk = scale Σ over queries of dS q, and dS itself on tensor cores (lib/attention_matrix),
// with P = exp(score - lse) and dS = P (dy vᵀ - Σ y dy). Halves of dS are 2^n dS (attention_delta).
// A workgroup keeps ROWS keys and values and passes over q and dy. Of 32 keys, one subgroup computes q kᵀ and Pᵀ dy and
// the other dy vᵀ and dSᵀ q, by the same text; their 64 lanes make P and dS of both, a lane of few queries.
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
#if F16_1
@group(0) @binding(1) var<storage, read> kv: array<vec4u>;        // [batch, Nk, (k, v), H, D], from kStart, kvRow apart
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
@group(0) @binding(6) var<storage, read_write> ds: array<vec4u>;  // [heads, Nq, dsRow], halves, 2^n dS, 0 from Nk on
@group(1) @binding(0) var<uniform> p: Params;

const SLICES = 2u; // @tune: DEEP / 16
const SCORES = 9u;  // line of 32 scores
const WEIGHTS = 5u; // line of 32 weights
const DY = 2u * TILE; // behind two tiles of q
const LINES = select(4u * DEEP, 2u * ROWS, ROWS > 2u * DEEP); // for the tiles, and k and v before them
const PLACE = DEEP * SCORES;
const WEIGHT_PLACE = DEEP * WEIGHTS;
var<workgroup> tiles: array<vec4u, LINES * LINE>;
var<workgroup> scores: array<vec4f, 2u * PAIRS * PLACE>;         // of every pair q kᵀ, then dy vᵀ
var<workgroup> weights: array<vec4u, 2u * PAIRS * WEIGHT_PLACE>; // P, then dS

#import "attention_matrix_load"
fn loadDy(at: u32) -> vec4u {
  #if F16_2
  return dy[at];
  #else
  return eight(dy[2u * at], dy[2u * at + 1u]);
  #endif
}

fn keep(at: u32, u: vec4f, v: vec4f) {
  #if F16_5
  dkv[at] = eight(u, v);
  #else
  dkv[2u * at] = u;
  dkv[2u * at + 1u] = v;
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nk);
  let own = thread / 64u * 32u;
  let works = b.first + own < p.Nk; // of the last keys, not all pairs have some
  let role = thread / 32u % 2u;
  let pair = thread / 64u * 2u;
  let place = (pair + role) * PLACE;
  let weightPlace = (pair + role) * WEIGHT_PLACE;
  let first = role * DY;     // the tiles of the first factor, q or dy
  let last = DY - first;     // and of the last, dy or q
  let slope = p.scale * LOG2E;
  let head = b.n * p.H + b.head;
  let power = powers[head].x;
  let toV = p.H * CHUNKS;
  for (var e = thread; e < ROWS * CHUNKS; e += THREADS) {
    let at = keyAt(b, b.first + e / CHUNKS) + e % CHUNKS;
    tiles[inTile(e)] = loadKv(at);
    tiles[ROWS * LINE + inTile(e)] = loadKv(at + toV);
  }
  workgroupBarrier();
  #for j in 0..2
  #for d in 0..PARTS
  let k$j_$d = subgroupMatrixLoad<Right, col_major>(&tiles, (role * ROWS + own + $ju * 16u) * LINE + $du * 2u, LINE);
  var y$j_$d: Sum;
  #end
  #end
  workgroupBarrier();
  #for l in 0..LOADS
  let e$l = thread + $lu * THREADS;
  var qAt$l = queryAt(b, e$l / CHUNKS) + e$l % CHUNKS;
  var dyAt$l = resultAt(b, e$l / CHUNKS) + e$l % CHUNKS;
  let qEnd$l = queryAt(b, p.Nq) + e$l % CHUNKS;
  let dyEnd$l = resultAt(b, p.Nq) + e$l % CHUNKS;
  if (e$l < IN_TILE) {
    tiles[inTile(e$l)] = loadQ(qAt$l);
    tiles[DY + inTile(e$l)] = loadDy(dyAt$l);
  }
  #end
  // of 32 scores of a query a lane has 8, of keys that exist or not
  let chunk = thread % 4u;
  let key = b.first + own + chunk * 8u + vec4u(0u, 1u, 2u, 3u);
  let isLeft = key < vec4u(p.Nk);
  let isRight = key + 4u < vec4u(p.Nk);
  let dsAt = (head - p.firstHead) * p.Nq * dsRow() + key.x / 8u;
  let inDs = key.x / 8u < dsRow();
  workgroupBarrier();
  var tile = 0u;
  for (var start = 0u; start < p.Nq; start += DEEP) {
    #for l in 0..LOADS
    qAt$l = min(qAt$l + DEEP * p.qRow / WORD, qEnd$l);
    dyAt$l = min(dyAt$l + DEEP * toV, dyEnd$l);
    let u$l = loadQ(qAt$l);
    let v$l = loadDy(dyAt$l);
    #end
    #for s in 0..SLICES
    let i$s = start + $su * 16u + thread % 64u / 4u;
    let row$s = select(vec2f(1e30, 0.0), rows[head * p.Nq + min(i$s, p.Nq - 1u)], i$s < p.Nq);
    if (works) {
      #for j in 0..2
      var s$j = Sum();
      #end
      #for d in 0..PARTS
      let q$d = subgroupMatrixLoad<Left, row_major>(&tiles, first + tile + $su * 16u * LINE + $du * 2u, LINE);
      #for j in 0..2
      s$j = subgroupMatrixMultiplyAccumulate(q$d, k$j_$d, s$j);
      #end
      #end
      #for j in 0..2
      subgroupMatrixStore<row_major>(&scores, place + $su * 16u * SCORES + $ju * 4u, s$j, SCORES);
      #end
    }
    #end
    workgroupBarrier();
    #for s in 0..SLICES
    {
      let line = $su * 16u + thread % 64u / 4u;
      let at = pair * PLACE + line * SCORES + chunk * 2u;
      let to = pair * WEIGHT_PLACE + line * WEIGHTS + chunk;
      let u = select(vec4f(), exp2(fma(scores[at], vec4f(slope), vec4f(-row$s.x))), isLeft);
      let v = select(vec4f(), exp2(fma(scores[at + 1u], vec4f(slope), vec4f(-row$s.x))), isRight);
      let du = power * u * (scores[PLACE + at] - row$s.y);
      let dv = power * v * (scores[PLACE + at + 1u] - row$s.y);
      let halved = eight(du, dv);
      weights[to] = eight(u, v);
      weights[WEIGHT_PLACE + to] = halved;
      if (inDs & (i$s < p.Nq)) { ds[dsAt + i$s * dsRow()] = halved; }
    }
    #end
    tile = TILE - tile;
    #for l in 0..LOADS
    if ((LOADS * THREADS == IN_TILE) | (e$l < IN_TILE)) {
      tiles[tile + inTile(e$l)] = u$l;
      tiles[DY + tile + inTile(e$l)] = v$l;
    }
    #end
    workgroupBarrier();
    #for s in 0..SLICES
    if (works) {
      #for j in 0..2
      let w$j = subgroupMatrixLoad<Left, col_major>(&weights, weightPlace + $su * 16u * WEIGHTS + $ju * 2u, WEIGHTS);
      #end
      #for d in 0..PARTS
      let x$d = subgroupMatrixLoad<Right, row_major>(&tiles, last + TILE - tile + $su * 16u * LINE + $du * 2u, LINE);
      #for j in 0..2
      y$j_$d = subgroupMatrixMultiplyAccumulate(w$j, x$d, y$j_$d);
      #end
      #end
    }
    #end
  }
  let back = select(1.0, p.scale * powers[head].y, role == 1u);
  let r = thread % 32u / 2u;
  let h = thread % 2u;
  let out = select(toV, 0u, role == 1u) + h;
  #for d in 0..PARTS
  workgroupBarrier();
  #for j in 0..2
  subgroupMatrixStore<row_major>(&scores, place + $ju * 4u, y$j_$d, SCORES);
  #end
  workgroupBarrier();
  #for j in 0..2
  {
    let e = place + r * SCORES + $ju * 4u + h * 2u;
    let i = b.first + own + $ju * 16u + r;
    if (i < p.Nk) { keep(keyAt(b, i) + out + $du * 2u, back * scores[e], back * scores[e + 1u]); }
  }
  #end
  #end
}
