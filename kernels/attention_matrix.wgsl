enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y = softmax(scale q kᵀ) v for every head, lse = ln Σ exp(score), on tensor cores (lib/attention_matrix).
// A workgroup keeps ROWS rows of q and passes over keys and values. Of 32 rows and a tile, a subgroup computes the
// scores of half the keys, then half the columns of y; between, two lanes share a row's weights. A weight is
// 2^(score - anchor), a row's anchor 5 above its largest score of the first tile, so that sums are not scaled as larger
// scores turn up. Where a weight could leave the range of halves, which the sum of a row's weights tells, the workgroup
// passes over the keys twice more: for the largest scores of all, then with those as anchors.
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
#if F16_1
@group(0) @binding(1) var<storage, read> kv: array<vec4u>;      // [batch, Nk, (k, v), H, D], from kStart, kvRow apart
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

const SCORES = DEEP / 4u + 1u;  // line of scores
const WEIGHTS = DEEP / 8u + 1u; // line of weights
const VALUES = 2u * TILE;       // behind two tiles of keys
const LINES = select(4u * DEEP, ROWS, ROWS > 4u * DEEP); // for the tiles, and q before them
const ABOVE = 5.0;
const NONE = -1e30;
var<workgroup> tiles: array<vec4u, LINES * LINE>;
var<workgroup> scores: array<vec4f, ROWS * SCORES>;
var<workgroup> weights: array<vec4u, ROWS * WEIGHTS>;
var<workgroup> sums2: array<f32, THREADS>; // of two lanes a row
var<workgroup> next: u32;
#import "attention_matrix_load"
fn keep(at: u32, u: vec4f, v: vec4f) {
  #if F16_2
  y[at] = eight(u, v);
  #else
  y[2u * at] = u;
  y[2u * at + 1u] = v;
  #endif
}

// The largest of a row's scores of the keys from `start` on, times `slope`.
fn largest(row: u32, start: u32, slope: f32) -> f32 {
  var most = vec4f(NONE);
  for (var k = 0u; k < DEEP / 4u; k++) {
    let isKey = start + 4u * k + vec4u(0u, 1u, 2u, 3u) < vec4u(p.Nk);
    most = max(most, select(vec4f(NONE), slope * scores[row * SCORES + k], isKey));
  }
  return max(max(most.x, most.y), max(most.z, most.w));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nq);
  let own = thread / 64u * 32u;
  let works = b.first + own < p.Nq; // of the last rows, not all pairs have some
  let role = thread / 32u % 2u;
  let r = thread / 2u;
  let h = thread % 2u;
  let slope = p.scale * LOG2E;
  let values = VALUES + role * MINE * 2u; // this subgroup's columns of v
  for (var e = thread; e < ROWS * CHUNKS; e += THREADS) {
    tiles[inTile(e)] = loadQ(queryAt(b, b.first + e / CHUNKS) + e % CHUNKS);
  }
  workgroupBarrier();
  #for i in 0..2
  #for d in 0..PARTS
  let q$i_$d = subgroupMatrixLoad<Left, row_major>(&tiles, (own + $iu * 16u) * LINE + $du * 2u, LINE);
  #end
  #for d in 0..MINE
  var y$i_$d: Sum;
  #end
  #end
  let toV = p.H * CHUNKS;
  #for l in 0..LOADS
  let e$l = thread + $lu * THREADS;
  let begin$l = keyAt(b, e$l / CHUNKS) + e$l % CHUNKS;
  let end$l = keyAt(b, p.Nk) + e$l % CHUNKS;
  #end
  var anchor = NONE;
  var turn = 0u; // 1 looks for the largest scores, 2 has them, 3 is done
  loop {
    var sum = 0.0;
    #for i in 0..2
    #for d in 0..MINE
    y$i_$d = Sum();
    #end
    #end
    workgroupBarrier();
    #for l in 0..LOADS
    var at$l = begin$l;
    if (e$l < IN_TILE) {
      tiles[inTile(e$l)] = loadKv(at$l);
      tiles[VALUES + inTile(e$l)] = loadKv(at$l + toV);
    }
    #end
    workgroupBarrier();
    var tile = 0u;
    for (var start = 0u; start < p.Nk; start += DEEP) {
      #for l in 0..LOADS
      at$l = min(at$l + DEEP * p.kvRow / WORD, end$l);
      let x$l = loadKv(at$l);
      let z$l = loadKv(at$l + toV);
      #end
      if (works) {
        #for i in 0..2
        var s$i = Sum();
        #end
        #for d in 0..PARTS
        let k$d = subgroupMatrixLoad<Right, col_major>(&tiles, tile + role * 16u * LINE + $du * 2u, LINE);
        #for i in 0..2
        s$i = subgroupMatrixMultiplyAccumulate(q$i_$d, k$d, s$i);
        #end
        #end
        #for i in 0..2
        subgroupMatrixStore<row_major>(&scores, (own + $iu * 16u) * SCORES + role * 4u, s$i, SCORES);
        #end
      }
      workgroupBarrier();
      if ((turn == 1u) | ((turn == 0u) & (start == 0u))) {
        anchor = max(anchor, largest(r, start, slope) + ABOVE);
      }
      #for c in 0..2
      {
        let chunk = 2u * h + $cu;
        var u = fma(scores[r * SCORES + 2u * chunk], vec4f(slope), vec4f(-anchor));
        var v = fma(scores[r * SCORES + 2u * chunk + 1u], vec4f(slope), vec4f(-anchor));
        if (start + DEEP > p.Nk) {
          let key = start + chunk * 8u + vec4u(0u, 1u, 2u, 3u);
          u = select(vec4f(NONE), u, key < vec4u(p.Nk));
          v = select(vec4f(NONE), v, key + 4u < vec4u(p.Nk));
        }
        u = exp2(u);
        v = exp2(v);
        sum += dot(u + v, vec4f(1.0));
        weights[r * WEIGHTS + chunk] = eight(u, v);
      }
      #end
      tile = TILE - tile;
      #for l in 0..LOADS
      if ((LOADS * THREADS == IN_TILE) | (e$l < IN_TILE)) {
        tiles[tile + inTile(e$l)] = x$l;
        tiles[VALUES + tile + inTile(e$l)] = z$l;
      }
      #end
      workgroupBarrier();
      let used = values + TILE - tile;
      #for j in 0..2
      if (works) {
        #for i in 0..2
        let w$i = subgroupMatrixLoad<Left, row_major>(&weights, (own + $iu * 16u) * WEIGHTS + $ju * 2u, WEIGHTS);
        #end
        #for d in 0..MINE
        let v$d = subgroupMatrixLoad<Right, row_major>(&tiles, used + $ju * 16u * LINE + $du * 2u, LINE);
        #for i in 0..2
        y$i_$d = subgroupMatrixMultiplyAccumulate(w$i, v$d, y$i_$d);
        #end
        #end
      }
      #end
    }
    sums2[thread] = sum;
    if (thread == 0u) { next = 3u; }
    workgroupBarrier();
    if ((turn == 1u) | ((turn == 0u) & works & !(sum <= 65504.0))) { next = turn + 1u; }
    turn = workgroupUniformLoad(&next);
    if (turn == 3u) { break; }
  }
  let total = sums2[thread] + sums2[thread ^ 1u];
  let row = b.first + r;
  let to = resultAt(b, row);
  if ((h == 0u) & (row < p.Nq)) { lse[to / CHUNKS] = (anchor + log2(total)) / LOG2E; }
  #for d in 0..MINE
  workgroupBarrier();
  #for i in 0..2
  subgroupMatrixStore<row_major>(&scores, (own + $iu * 16u) * SCORES + role * 4u, y$i_$d, SCORES);
  #end
  workgroupBarrier();
  #for j in 0..2
  if (row < p.Nq) {
    let e = r * SCORES + $ju * 4u + h * 2u;
    keep(to + ($ju * MINE + $du) * 2u + h, scores[e] / total, scores[e + 1u] / total);
  }
  #end
  #end
}
