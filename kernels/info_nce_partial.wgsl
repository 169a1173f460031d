// Softmax over one slice of the queue, without its logits ever in memory. With s_ij = q_i · k_j / T, for each query:
//   m = max_j s_ij,  l = Σ_j e^(s_ij - m),  O = Σ_j e^(s_ij - m) k_j,  rank = #{j : not s_ij < q_i · k⁺_i / T}.
// A workgroup takes 4 ROWS queries and one slice z of the keys, 64 at a time. Where the maximum grows, l and O shrink
// by e^(old - new) (Milakov and Gimelshein 2018; Dao et al. 2022).
// A thread holds a 4×4 block of s (4 rows by 4 keys, 16 apart) and, of O, 4 rows by COLUMNS columns 16 apart, so that
// both products do 4 multiply-adds for every word read; only the 64 weights a row pass through workgroup memory (10.4
// KB of it with the tiles, at ROWS = 4). Beyond 256 columns of O, further groups do the rest and repeat the logits.
override ROWS: u32 = 4u;     // rows of threads; 4 queries each
override COLUMNS: u32 = 16u; // columns of O a thread holds: min(16, ceil(D / 16))
override STAGED: u32 = 1u;   // 1: s from tiles in workgroup memory; 0: straight from memory, for software adapters
#import "index"
#import "vec4"
#import "special"

struct Params { N: u32, K: u32, D: u32, S: u32, chunk: u32, inverseT: f32 }

@group(0) @binding(0) var<storage, read> q: array<f32>;           // [N, D]
@group(0) @binding(1) var<storage, read> positive: array<f32>;    // [N, D], k⁺
@group(0) @binding(2) var<storage, read> queue: array<f32>;       // [K, D]
@group(0) @binding(3) var<storage, read_write> stats: array<vec4f>; // [S, N]: m, l, rank, q · k⁺ / T
@group(0) @binding(4) var<storage, read_write> O: array<f32>;     // [S, N, D]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> keyTile: array<f32, 1040>;            // [16 d, 65]: 64 keys and a word against bank conflicts
var<workgroup> queryTile: array<vec4f, 16u * ROWS>;  // [16 d, ROWS]
var<workgroup> weights: array<vec4f, 64u * ROWS>;    // [64 keys, ROWS]
var<workgroup> most: array<vec4f, 16u * ROWS>;       // [16 lanes, ROWS]
var<workgroup> best: array<vec4f, ROWS>;             // q · k⁺ / T

@compute @workgroup_size(16, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) thread: u32) {
  let blocks = (p.N + 4u * ROWS - 1u) / (4u * ROWS);
  let g = groupOf(group, groups);
  let firstRow = (g % blocks) * 4u * ROWS;
  let slice = (g / blocks) % p.S;
  let firstColumn = g / (blocks * p.S) * 256u;
  let begin = slice * p.chunk;
  let end = min(begin + p.chunk, p.K);
  let row = firstRow + lane.y * 4u;
  // Beyond the edges, the last row, key or column is read again and not stored.
  #for i in 0..4
  let q$i = min(row + $iu, p.N - 1u) * p.D;
  #end
  // Summed in the order of s below, so that a key equal to the positive ties with it.
  if (lane.x < 4u) {
    let start = min(row + lane.x, p.N - 1u) * p.D;
    var dot = 0.0;
    for (var d = 0u; d < p.D; d++) { dot = fma(q[start + d], positive[start + d], dot); }
    best[lane.y][lane.x] = dot * p.inverseT;
  }
  workgroupBarrier();
  let bar = best[lane.y];
  var m = vec4f(LOWEST);
  var l = vec4f();
  var rank = vec4f();
  #for c in 0..16
  var o$c = vec4f();
  let column$c = min(firstColumn + lane.x + 16u * $cu, p.D - 1u);
  #end
  for (var tile = begin; tile < end; tile += 64u) {
    #for i in 0..4
    var s$i = vec4f();
    let key$i = tile + lane.x + 16u * $iu;
    #end
    if (STAGED == 1u) {
      for (var start = 0u; start < p.D; start += 16u) {
        for (var e = thread; e < 1024u; e += 16u * ROWS) {
          let d = start + e % 16u;
          let key = tile + e / 16u;
          var v = 0.0;
          if (d < p.D && key < end) { v = queue[key * p.D + d]; }
          keyTile[(e % 16u) * 65u + e / 16u] = v;
        }
        var v = vec4f();
        let d = start + lane.x;
        if (d < p.D) { v = vec4f(q[q0 + d], q[q1 + d], q[q2 + d], q[q3 + d]); }
        queryTile[lane.x * ROWS + lane.y] = v;
        workgroupBarrier();
        for (var k = 0u; k < 16u; k++) {
          let rows = queryTile[k * ROWS + lane.y];
          let at = k * 65u + lane.x;
          #for i in 0..4
          s$i = fma(rows, vec4f(keyTile[at + 16u * $iu]), s$i);
          #end
        }
        workgroupBarrier();
      }
    } else {
      #for i in 0..4
      let k$i = min(key$i, end - 1u) * p.D;
      #end
      for (var d = 0u; d < p.D; d++) {
        let rows = vec4f(q[q0 + d], q[q1 + d], q[q2 + d], q[q3 + d]);
        #for i in 0..4
        s$i = fma(rows, vec4f(queue[k$i + d]), s$i);
        #end
      }
    }
    var high = m;
    #for i in 0..4
    s$i *= p.inverseT;
    if (key$i < end) {
      high = max(high, s$i);
      rank += select(vec4f(1.0), vec4f(), s$i < bar);
    }
    #end
    most[lane.x * ROWS + lane.y] = high;
    workgroupBarrier();
    for (var x = 0u; x < 16u; x++) { high = max(high, most[x * ROWS + lane.y]); }
    let shrink = exp(m - high);
    m = high;
    l *= shrink;
    #for i in 0..4
    {
      let w = select(vec4f(), expOf(s$i - m), key$i < end);
      l += w;
      weights[(lane.x + 16u * $iu) * ROWS + lane.y] = w;
    }
    #end
    workgroupBarrier();
    #for c in 0..16
    if ($cu < COLUMNS) { o$c *= shrink; }
    #end
    let count = min(64u, end - tile);
    for (var k = 0u; k < count; k++) {
      let w = weights[k * ROWS + lane.y];
      let at = (tile + k) * p.D;
      #for c in 0..16
      if ($cu < COLUMNS) { o$c = fma(w, vec4f(queue[at + column$c]), o$c); }
      #end
    }
  }
  most[lane.x * ROWS + lane.y] = l;
  queryTile[lane.x * ROWS + lane.y] = rank;
  workgroupBarrier();
  if (lane.x < 4u && row + lane.x < p.N && firstColumn == 0u) {
    var total = vec2f();
    for (var x = 0u; x < 16u; x++) {
      total += vec2f(most[x * ROWS + lane.y][lane.x], queryTile[x * ROWS + lane.y][lane.x]);
    }
    stats[slice * p.N + row + lane.x] = vec4f(m[lane.x], total, bar[lane.x]);
  }
  #for c in 0..16
  if ($cu < COLUMNS && firstColumn + 16u * $cu + lane.x < p.D) {
    let at = (slice * p.N + row) * p.D + firstColumn + 16u * $cu + lane.x;
    #for i in 0..4
    if (row + $iu < p.N) { O[at + $iu * p.D] = o$c[$i]; }
    #end
  }
  #end
}
