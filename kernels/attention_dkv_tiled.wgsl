// dk and dv as attention_dkv computes them, for adapters with real workgroup memory.
// A workgroup keeps ROWS keys and values and passes over queries and dy in tiles (lib/row_tiles). A thread computes 4
// keys by EACH queries of S and of dy vᵀ, and 4 keys by 4 WIDE columns of dk and of dv in registers. The size of a head
// divides by 4, so that rows are loaded and stored by vec4.
#import "index"
#import "attention"
#import "attention_rows"
#import "row_tiles"
const WORD = 4u;

@group(0) @binding(0) var<storage, read> q: array<vec4f>;         // [batch, Nq, H, D], rows qRow apart
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
@group(0) @binding(1) var<storage, read> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;         // [batch, Nq, H]
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;        // [batch, Nq, H, D]
@group(0) @binding(4) var<storage, read> delta: array<f32>;       // [batch, Nq, H], Σ y dy
@group(0) @binding(5) var<storage, read_write> dkv: array<vec4f>; // like kv
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> rows: array<vec4f, ROWS * LINE>; // scale k
var<workgroup> otherRows: array<vec4f, ROWS * LINE>; // v
var<workgroup> columns: array<vec4f, COLUMNS * LINE>; // q
var<workgroup> otherColumns: array<vec4f, COLUMNS * LINE>; // dy
var<workgroup> weights: array<vec4f, COLUMNS * SIDE>; // P, [COLUMNS, SIDE], a thread's keys in a vec4
var<workgroup> slopes: array<vec4f, COLUMNS * SIDE>;  // dS

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nk);
  let r = thread / 8u;
  let c = thread % 8u;
  for (var e = thread; e < ROWS * QUADS; e += THREADS) {
    let key = keyAt(b, b.first + e / QUADS) + e % QUADS;
    rows[inLines(e)] = p.scale * kv[key];
    otherRows[inLines(e)] = kv[key + p.H * QUADS];
  }
  #for j in 0..WIDE
  let place$j = min(c + $ju * 8u, QUADS - 1u);
  #for i in 0..4
  var k$i_$j = vec4f();
  var v$i_$j = vec4f();
  #end
  #end
  for (var start = 0u; start < p.Nq; start += COLUMNS) {
    workgroupBarrier();
    for (var e = thread; e < COLUMNS * QUADS; e += THREADS) {
      let row = start + e / QUADS;
      columns[inLines(e)] = q[queryAt(b, row) + e % QUADS];
      otherColumns[inLines(e)] = dy[resultAt(b, row) + e % QUADS];
    }
    workgroupBarrier();
#import "row_scores_pair"
    #for k in 0..EACH
    {
      let row = start + c + $ku * 8u;
      let at = resultAt(b, row) / QUADS;
      let weight = select(vec4f(), exp(s$k - lse[at]), row < p.Nq);
      weights[(c + $ku * 8u) * SIDE + r] = weight;
      slopes[(c + $ku * 8u) * SIDE + r] = weight * (d$k - delta[at]);
    }
    #end
    workgroupBarrier();
    for (var k = 0u; k < COLUMNS; k++) {
      let weight = weights[k * SIDE + r];
      let slope = slopes[k * SIDE + r];
      #for j in 0..WIDE
      let q$j = columns[k * LINE + place$j];
      let y$j = otherColumns[k * LINE + place$j];
      #for i in 0..4
      k$i_$j += slope[$i] * q$j;
      v$i_$j += weight[$i] * y$j;
      #end
      #end
    }
  }
  #for i in 0..4
  {
    let row = b.first + r + $iu * SIDE;
    #for j in 0..WIDE
    if ((row < b.end) & (c + $ju * 8u < QUADS)) {
      dkv[keyAt(b, row) + c + $ju * 8u] = p.scale * k$i_$j;
      dkv[keyAt(b, row) + p.H * QUADS + c + $ju * 8u] = v$i_$j;
    }
    #end
  }
  #end
}
