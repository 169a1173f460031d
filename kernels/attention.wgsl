// y = softmax(scale q kᵀ) v for every head, lse = ln Σ exp(score), which is all that the gradient needs of the scores.
// One thread computes four rows of y, held as the parts of vec4s, and takes four keys at a time. Where a larger score
// turns up, the sums so far are scaled down to it, and the division by the sum of weights waits to the end, so that k
// and v are read once and no matrix of scores is in memory (Milakov and Gimelshein 2018; Dao et al. 2022).
// The kernel needs no workgroup memory and no barrier; neighbouring threads read the same keys.
#import "index"
#import "vec4"
#import "special"
#import "attention"
#import "attention_rows"
const D = 64u; // @tune: size of a head
const ROWS = 4u;
const WORD = 1u;

@group(0) @binding(0) var<storage, read> q: array<f32>;         // [batch, Nq, H, D], rows qRow apart
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
@group(0) @binding(1) var<storage, read> kv: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [batch, Nq, H, D]
@group(0) @binding(3) var<storage, read_write> lse: array<f32>; // [batch, Nq, H]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let b = blockOf(groupOf(group, groups) * 64u + lane, p.Nq);
  if (b.first >= b.end) { return; }
  // Beyond the edge, the last row is computed again and not stored.
  #for i in 0..4
  let q$i = queryAt(b, b.first + $iu);
  let y$i = resultAt(b, b.first + $iu);
  #end
  #for d in 0..D
  var total$d = vec4f();
  #end
  var most = vec4f(LOWEST);
  var sum = vec4f();
  for (var j = 0u; j < p.Nk; j += 4u) {
    #for i in 0..4
    let k$i = keyAt(b, j + $iu);
    let v$i = k$i + p.H * D;
    var s$i = vec4f();
    #end
    for (var d = 0u; d < D; d++) {
      let x = vec4f(q[q0 + d], q[q1 + d], q[q2 + d], q[q3 + d]);
      #for i in 0..4
      s$i = fma(x, vec4f(kv[k$i + d]), s$i);
      #end
    }
    #for i in 0..4
    s$i = select(vec4f(LOWEST), p.scale * s$i, j + $iu < p.Nk);
    #end
    let top = max(most, max(max(s0, s1), max(s2, s3)));
    let fade = exp(most - top);
    #for i in 0..4
    s$i = expOf(s$i - top);
    #end
    most = top;
    sum = fma(sum, fade, (s0 + s1) + (s2 + s3));
    #for d in 0..D
    total$d *= fade;
    #for i in 0..4
    total$d = fma(s$i, vec4f(kv[v$i + $du]), total$d);
    #end
    #end
  }
  let share = 1.0 / sum;
  let logs = most + ln(sum);
  #for i in 0..4
  if (b.first + $iu < b.end) {
    #for d in 0..D
    y[y$i + $du] = total$d[$i] * share[$i];
    #end
    lse[y$i / D] = logs[$i];
  }
  #end
}
