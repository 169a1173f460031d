// What info_nce_partial computes, for adapters with real workgroup memory.
// A workgroup keeps ROWS queries and passes over a slice of the keys in tiles (lib/row_tiles), each of which serves
// both products. A thread computes 4 queries by EACH keys of the scores, and 4 queries by 4 WIDE columns of O in
// registers. D divides by 4, so that all loads and stores are vec4.
#import "index"
#import "vec4"
#import "special"
#import "row_tiles"

struct Params { N: u32, K: u32, S: u32, chunk: u32, inverseT: f32 }

@group(0) @binding(0) var<storage, read> q: array<vec4f>;           // [N, D]
@group(0) @binding(1) var<storage, read> positive: array<vec4f>;    // [N, D], k⁺
@group(0) @binding(2) var<storage, read> queue: array<vec4f>;       // [K, D]
@group(0) @binding(3) var<storage, read_write> stats: array<vec4f>; // [S, N]: m, l, rank, q · k⁺ / T
@group(0) @binding(4) var<storage, read_write> O: array<vec4f>;     // [S, N, D]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> rows: array<vec4f, ROWS * LINE>;       // q
var<workgroup> columns: array<vec4f, COLUMNS * LINE>; // keys
var<workgroup> weights: array<vec4f, COLUMNS * SIDE>; // e^(s - m), [COLUMNS, SIDE], a thread's rows in a vec4

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let blocks = (p.N + ROWS - 1u) / ROWS;
  let g = groupOf(group, groups);
  let first = g % blocks * ROWS;
  let slice = g / blocks;
  let end = select(min((slice + 1u) * p.chunk, p.K), 0u, slice >= p.S);
  let r = thread / 8u;
  let c = thread % 8u;
  for (var e = thread; e < ROWS * QUADS; e += THREADS) {
    rows[inLines(e)] = q[min(first + e / QUADS, p.N - 1u) * QUADS + e % QUADS];
  }
  workgroupBarrier();
  // Summed in the order of s below, so that a key equal to the positive ties with it.
  var bar = vec4f();
  for (var d = 0u; d < QUADS; d++) {
    #for i in 0..4
    let k$i = positive[min(first + r + $iu * SIDE, p.N - 1u) * QUADS + d];
    let x$i = rows[(r + $iu * SIDE) * LINE + d];
    #end
    bar += vec4f(dot(x0, k0), dot(x1, k1), dot(x2, k2), dot(x3, k3));
  }
  bar *= p.inverseT;
  var m = vec4f(LOWEST);
  var l = vec4f();
  var rank = vec4f();
#import "row_sums_begin"
  for (var start = slice * p.chunk; start < end; start += COLUMNS) {
    workgroupBarrier();
    for (var e = thread; e < COLUMNS * QUADS; e += THREADS) {
      columns[inLines(e)] = queue[min(start + e / QUADS, p.K - 1u) * QUADS + e % QUADS];
    }
    workgroupBarrier();
#import "row_scores"
    var top = m;
    #for k in 0..EACH
    s$k = select(vec4f(LOWEST), s$k * p.inverseT, start + c + $ku * 8u < end);
    rank += select(vec4f(1.0), vec4f(), (s$k < bar) | vec4<bool>(start + c + $ku * 8u >= end));
    top = max(top, s$k);
    #end
    top = largest8(top, r, c);
    let shrink = exp(m - top);
    m = top;
    l *= shrink;
    #for k in 0..EACH
    s$k = select(vec4f(), expOf(s$k - m), start + c + $ku * 8u < end);
    l += s$k;
    weights[(c + $ku * 8u) * SIDE + r] = s$k;
    #end
    workgroupBarrier();
    #for j in 0..WIDE
    #for i in 0..4
    t$i_$j *= shrink[$i];
    #end
    #end
#import "row_sums"
  }
  l = shared8(l, r, c);
  rank = shared8(rank, r, c);
  #for i in 0..4
  {
    let row = first + r + $iu * SIDE;
    let at = slice * p.N + row;
    let ok = (row < p.N) & (slice < p.S);
    if (ok & (c == 0u)) { stats[at] = vec4f(m[$i], l[$i], rank[$i], bar[$i]); }
    #for j in 0..WIDE
    if (ok & (c + $ju * 8u < QUADS)) { O[at * QUADS + c + $ju * 8u] = t$i_$j; }
    #end
  }
  #end
}
