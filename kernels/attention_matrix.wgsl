enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y and lse as attention computes them, on tensor cores (lib/attention_matrix): a workgroup keeps ROWS queries and passes over
// keys and values. Weights are 2^(score - anchor), the anchor of a row 5 below its largest score of the first tile, so
// that sums need no scaling as they grow; where a weight would leave the range of halves, which the sum of a row's weights
// tells, the group begins again, and takes the row's largest score of all.
#import "index"
#import "attention_matrix"
#import "attention_rows"

const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
#if F16_0
@group(0) @binding(0) var<storage, read> q: array<vec4u>;       // [batch, Nq, H, D], rows qRow apart
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
@group(0) @binding(2) var<storage, read_write> y: array<vec4u>; // [batch, Nq, H, D]
#else
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#endif
@group(0) @binding(3) var<storage, read_write> lse: array<f32>; // [batch, Nq, H]
@group(1) @binding(0) var<uniform> p: Params;

const SCORES = DEEP / 4u + 1u;  // line of a subgroup's scores, in vec4f
const WEIGHTS = DEEP / 8u + 1u; // and of its weights
const VALUES = 2u * TILE;       // behind two tiles of keys
const LINES = select(4u * DEEP, ROWS, ROWS > 4u * DEEP); // for the tiles, or the group's queries as they come
const EACH = 1u; // @tune: rows of scores of two lanes, TALL / SHARE
const MY_SLICES = 2u; // @tune: SLICES / SHARE
const MY_PARTS = 4u; // @tune: PARTS / SHARE
const HEADROOM = 5.0;
const DONE = 3u;
var<workgroup> tiles: array<vec4u, LINES * LINE>;
var<workgroup> scores: array<vec4f, ROWS * SCORES>;
var<workgroup> weights: array<vec4u, ROWS * WEIGHTS>;
var<workgroup> shares: array<f32, 2u * ROWS>; // the parts of a row's sum
var<workgroup> next: u32;

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

fn keep(at: u32, u: vec4f, v: vec4f) {
  #if F16_2
  y[at / 8u] = eight(u, v);
  #else
  y[at / 4u] = u;
  y[at / 4u + 1u] = v;
  #endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nq);
  let own = thread / (32u * SHARE) * OWN;
  let role = thread / 32u % SHARE;
  let r = own + thread % (32u * SHARE) / 2u;
  let h = thread % 2u;
  let slope = p.scale * LOG2E;
  let values = VALUES + role * MY_PARTS * 2u;
  for (var e = thread; e < ROWS * CHUNKS; e += THREADS) {
    let i = b.first + e / CHUNKS;
    tiles[e / CHUNKS * LINE + e % CHUNKS] = loadQ(queryAt(b, i) + e % CHUNKS * 8u, i < p.Nq);
  }
  workgroupBarrier();
  #for i in 0..TALL
  #for d in 0..PARTS
  let q$i_$d = subgroupMatrixLoad<Left, row_major>(&tiles, (own + $iu * 16u) * LINE + $du * 2u, LINE);
  #end
  #for d in 0..MY_PARTS
  var y$i_$d: Sum;
  #end
  #end
  #for i in 0..EACH
  var anchor$i = NONE;
  var sum$i = 0.0;
  #end
  // 0: the anchors are of the first tile; 1: looks for the largest scores of all; 2: these are the anchors
  var turn = 0u;
  loop {
    #for i in 0..EACH
    sum$i = 0.0;
    #end
    #for i in 0..TALL
    #for d in 0..MY_PARTS
    y$i_$d = Sum();
    #end
    #end
    workgroupBarrier();
    #for l in 0..LOADS
    let c$l = min(thread + $lu * THREADS, DEEP * CHUNKS - 1u);
    let to$l = c$l / CHUNKS * LINE + c$l % CHUNKS;
    {
      let i = c$l / CHUNKS;
      let at = keyAt(b, i) + c$l % CHUNKS * 8u;
      tiles[to$l] = loadKv(at, i < p.Nk);
      tiles[VALUES + to$l] = loadKv(at + p.H * D, i < p.Nk);
    }
    #end
    workgroupBarrier();
    var tile = 0u;
    for (var start = 0u; start < p.Nk; start += DEEP) {
      #for l in 0..LOADS
      let i$l = start + DEEP + c$l / CHUNKS;
      let at$l = keyAt(b, i$l) + c$l % CHUNKS * 8u;
      let k$l = loadKv(at$l, i$l < p.Nk);
      let v$l = loadKv(at$l + p.H * D, i$l < p.Nk);
      #end
      #for j in 0..MY_SLICES
      {
        let j = role * MY_SLICES + $ju;
        #for i in 0..TALL
        var s$i = Sum();
        #end
        #for d in 0..PARTS
        let k$d = subgroupMatrixLoad<Right, col_major>(&tiles, tile + j * 16u * LINE + $du * 2u, LINE);
        #for i in 0..TALL
        s$i = subgroupMatrixMultiplyAccumulate(q$i_$d, k$d, s$i);
        #end
        #end
        #for i in 0..TALL
        subgroupMatrixStore<row_major>(&scores, (own + $iu * 16u) * SCORES + j * 4u, s$i, SCORES);
        #end
      }
      #end
      workgroupBarrier();
      if ((turn == 1u) | ((turn == 0u) & (start == 0u))) {
        #for i in 0..EACH
        for (var k = 0u; k < DEEP / 4u; k++) {
          let s = select(vec4f(NONE), slope * scores[(r + $iu * 16u * SHARE) * SCORES + k], start + k * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(p.Nk));
          anchor$i = max(anchor$i, max(max(s.x, s.y), max(s.z, s.w)));
        }
        #end
      }
      #for i in 0..EACH
      #for c in 0..SLICES
      {
        let chunk = chunkOf($cu, h, DEEP / 8u);
        let at = (r + $iu * 16u * SHARE) * SCORES + chunk * 2u;
        let key = start + chunk * 8u + vec4u(0u, 1u, 2u, 3u);
        let shift = vec4f(-HEADROOM - anchor$i);
        let u = select(vec4f(), exp2(fma(scores[at], vec4f(slope), shift)), key < vec4u(p.Nk));
        let v = select(vec4f(), exp2(fma(scores[at + 1u], vec4f(slope), shift)), key + 4u < vec4u(p.Nk));
        let w = u + v;
        sum$i += (w.x + w.y) + (w.z + w.w);
        weights[(r + $iu * 16u * SHARE) * WEIGHTS + chunk] = eight(u, v);
      }
      #end
      #end
      #for l in 0..LOADS
      if ((LOADS * THREADS == DEEP * CHUNKS) | (thread + $lu * THREADS < DEEP * CHUNKS)) {
        tiles[TILE - tile + to$l] = k$l;
        tiles[VALUES + TILE - tile + to$l] = v$l;
      }
      #end
      workgroupBarrier();
      #for j in 0..SLICES
      {
        #for i in 0..TALL
        let w$i = subgroupMatrixLoad<Left, row_major>(&weights, (own + $iu * 16u) * WEIGHTS + $ju * 2u, WEIGHTS);
        #end
        #for d in 0..MY_PARTS
        let v$d = subgroupMatrixLoad<Right, row_major>(&tiles, values + tile + $ju * 16u * LINE + $du * 2u, LINE);
        #for i in 0..TALL
        y$i_$d = subgroupMatrixMultiplyAccumulate(w$i, v$d, y$i_$d);
        #end
        #end
      }
      #end
      tile = TILE - tile;
    }
    #for i in 0..EACH
    shares[(r + $iu * 16u * SHARE) * 2u + h] = sum$i;
    #end
    if (thread == 0u) { next = DONE; }
    workgroupBarrier();
    #for i in 0..EACH
    if ((turn == 1u) | ((turn == 0u) & !(sum$i <= 65504.0))) { next = turn + 1u; }
    #end
    turn = workgroupUniformLoad(&next);
    if (turn == DONE) { break; }
  }
  #for i in 0..EACH
  let total$i = shares[(r + $iu * 16u * SHARE) * 2u] + shares[(r + $iu * 16u * SHARE) * 2u + 1u];
  let row$i = b.first + r + $iu * 16u * SHARE;
  if ((h == 0u) & (row$i < p.Nq)) { lse[resultAt(b, row$i) / D] = (anchor$i + HEADROOM + log2(total$i)) / LOG2E; }
  #end
  #for d in 0..MY_PARTS
  if ($du % MY_SLICES == 0u) { workgroupBarrier(); }
  #for i in 0..TALL
  subgroupMatrixStore<row_major>(&scores, (own + $iu * 16u) * SCORES + (role * MY_SLICES + $du % MY_SLICES) * 4u, y$i_$d, SCORES);
  #end
  if (($du % MY_SLICES == MY_SLICES - 1u) | ($du == MY_PARTS - 1u)) {
    workgroupBarrier();
    #for i in 0..EACH
    for (var m = 0u; m < SHARE * MY_SLICES; m++) {
      let e = (r + $iu * 16u * SHARE) * SCORES + m * 4u + h * 2u;
      let part = m / MY_SLICES * MY_PARTS + $du / MY_SLICES * MY_SLICES + m % MY_SLICES;
      if ((row$i < p.Nq) & (m % MY_SLICES <= $du % MY_SLICES)) {
        keep(resultAt(b, row$i) + part * 16u + h * 8u, scores[e] / total$i, scores[e + 1u] / total$i);
      }
    }
    #end
  }
  #end
}
