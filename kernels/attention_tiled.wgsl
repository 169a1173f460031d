// y and lse as attention computes them, for adapters with real workgroup memory.
// A workgroup keeps ROWS rows of q and passes over keys and values in tiles (lib/row_tiles). A thread computes 4 rows
// by EACH keys of the scores, and 4 rows by 4 WIDE columns of y in registers. The largest score and the weights of a
// row go through workgroup memory; its sum of weights stays in 8 parts, one a thread, until the end. The size of a head
// divides by 4, so that rows are loaded and stored by vec4.
#import "index"
#import "vec4"
#import "special"
#import "attention"
#import "attention_rows"
#import "row_tiles"
const WORD = 4u;

@group(0) @binding(0) var<storage, read> q: array<vec4f>;       // [batch, Nq, H, D], rows qRow apart
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
@group(0) @binding(1) var<storage, read> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>; // [batch, Nq, H, D]
@group(0) @binding(3) var<storage, read_write> lse: array<f32>; // [batch, Nq, H]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> rows: array<vec4f, ROWS * LINE>;       // scale q
var<workgroup> columns: array<vec4f, COLUMNS * LINE>; // k, then v
// exp(score - largest), [COLUMNS, SIDE], a thread's rows in a vec4
var<workgroup> weights: array<vec4f, COLUMNS * SIDE>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let b = blockOf(groupOf(group, groups), p.Nq);
  let r = thread / 8u;
  let c = thread % 8u;
  for (var e = thread; e < ROWS * QUADS; e += THREADS) {
    rows[inLines(e)] = p.scale * q[queryAt(b, b.first + e / QUADS) + e % QUADS];
  }
#import "row_sums_begin"
  var most = vec4f(LOWEST);
  var sum = vec4f();
  for (var start = 0u; start < p.Nk; start += COLUMNS) {
    workgroupBarrier();
    for (var e = thread; e < COLUMNS * QUADS; e += THREADS) {
      columns[inLines(e)] = kv[keyAt(b, start + e / QUADS) + e % QUADS];
    }
    workgroupBarrier();
#import "row_scores"
    var top = most;
    #for k in 0..EACH
    s$k = select(vec4f(LOWEST), s$k, start + c + $ku * 8u < p.Nk);
    top = max(top, s$k);
    #end
    top = largest8(top, r, c);
    let fade = exp(most - top);
    most = top;
    sum *= fade;
    #for k in 0..EACH
    s$k = expOf(s$k - top);
    sum += s$k;
    weights[(c + $ku * 8u) * SIDE + r] = s$k;
    #end
    for (var e = thread; e < COLUMNS * QUADS; e += THREADS) {
      columns[inLines(e)] = kv[keyAt(b, start + e / QUADS) + p.H * QUADS + e % QUADS];
    }
    workgroupBarrier();
    #for j in 0..WIDE
    #for i in 0..4
    t$i_$j *= fade[$i];
    #end
    #end
#import "row_sums"
  }
  sum = shared8(sum, r, c);
  let logs = most + ln(sum);
  #for i in 0..4
  {
    let row = b.first + r + $iu * SIDE;
    if (row < b.end) {
      #for j in 0..WIDE
      if (c + $ju * 8u < QUADS) { y[resultAt(b, row) + c + $ju * 8u] = t$i_$j / sum[$i]; }
      #end
      if (c == 0u) { lse[resultAt(b, row) / QUADS] = logs[$i]; }
    }
  }
  #end
}
