// dq as attention_dq computes it, for adapters with real workgroup memory.
// A workgroup keeps ROWS rows of q and dy and passes over keys and values in tiles (lib/row_tiles). A thread computes 4
// rows by EACH keys of S and of dy vᵀ, and 4 rows by 4 WIDE columns of dq in registers. The size of a head divides by
// 4, so that rows are loaded and stored by vec4.
#import "index"
#import "attention"
#import "attention_rows"
#import "row_tiles"
const WORD = 4u;

@group(0) @binding(0) var<storage, read> q: array<vec4f>;        // [batch, Nq, H, D], rows qRow apart
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
@group(0) @binding(1) var<storage, read> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;        // [batch, Nq, H]
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;       // [batch, Nq, H, D]
@group(0) @binding(4) var<storage, read> delta: array<f32>;      // [batch, Nq, H], Σ y dy
@group(0) @binding(5) var<storage, read_write> dq: array<vec4f>; // like q
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> rows: array<vec4f, ROWS * LINE>; // scale q
var<workgroup> otherRows: array<vec4f, ROWS * LINE>; // dy
var<workgroup> columns: array<vec4f, COLUMNS * LINE>; // k
var<workgroup> otherColumns: array<vec4f, COLUMNS * LINE>; // v
var<workgroup> weights: array<vec4f, COLUMNS * SIDE>;  // dS, [COLUMNS, SIDE], a thread's rows in a vec4

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nq);
  let r = thread / 8u;
  let c = thread % 8u;
  for (var e = thread; e < ROWS * QUADS; e += THREADS) {
    let row = b.first + e / QUADS;
    rows[inLines(e)] = p.scale * q[queryAt(b, row) + e % QUADS];
    otherRows[inLines(e)] = dy[resultAt(b, row) + e % QUADS];
  }
  #for i in 0..4
  let row$i = resultAt(b, b.first + r + $iu * SIDE) / QUADS;
  #end
  let logs = vec4f(lse[row0], lse[row1], lse[row2], lse[row3]);
  let mean = vec4f(delta[row0], delta[row1], delta[row2], delta[row3]);
#import "row_sums_begin"
  for (var start = 0u; start < p.Nk; start += COLUMNS) {
    workgroupBarrier();
    for (var e = thread; e < COLUMNS * QUADS; e += THREADS) {
      let key = keyAt(b, start + e / QUADS) + e % QUADS;
      columns[inLines(e)] = kv[key];
      otherColumns[inLines(e)] = kv[key + p.H * QUADS];
    }
    workgroupBarrier();
#import "row_scores_pair"
    #for k in 0..EACH
    weights[(c + $ku * 8u) * SIDE + r] = select(vec4f(), exp(s$k - logs) * (d$k - mean), start + c + $ku * 8u < p.Nk);
    #end
    workgroupBarrier();
#import "row_sums"
  }
  #for i in 0..4
  {
    let row = b.first + r + $iu * SIDE;
    #for j in 0..WIDE
    if ((row < b.end) & (c + $ju * 8u < QUADS)) { dq[queryAt(b, row) + c + $ju * 8u] = p.scale * t$i_$j; }
    #end
  }
  #end
}
