// dq = scale Σ over keys of dS k, dS = P (dy vᵀ - delta), P = exp(scale q kᵀ - lse).
// One thread computes four rows of dq, held as the parts of vec4s, and takes four keys at a time, as in attention. P is
// computed again, which costs less than its memory.
#import "index"
#import "attention"
#import "attention_rows"
const D = 64u; // @tune: size of a head
const ROWS = 4u;
const WORD = 1u;

@group(0) @binding(0) var<storage, read> q: array<f32>;         // [batch, Nq, H, D], rows qRow apart
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
@group(0) @binding(1) var<storage, read> kv: array<f32>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;       // [batch, Nq, H]
@group(0) @binding(3) var<storage, read> dy: array<f32>;        // [batch, Nq, H, D]
@group(0) @binding(4) var<storage, read> delta: array<f32>;     // [batch, Nq, H], Σ y dy
@group(0) @binding(5) var<storage, read_write> dq: array<f32>;  // like q
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
  let logs = vec4f(lse[y0 / D], lse[y1 / D], lse[y2 / D], lse[y3 / D]);
  let mean = vec4f(delta[y0 / D], delta[y1 / D], delta[y2 / D], delta[y3 / D]);
  #for d in 0..D
  var total$d = vec4f();
  #end
  for (var j = 0u; j < p.Nk; j += 4u) {
    #for i in 0..4
    let k$i = keyAt(b, j + $iu);
    let v$i = k$i + p.H * D;
    var s$i = vec4f();
    var d$i = vec4f();
    #end
    for (var d = 0u; d < D; d++) {
      let x = vec4f(q[q0 + d], q[q1 + d], q[q2 + d], q[q3 + d]);
      let g = vec4f(dy[y0 + d], dy[y1 + d], dy[y2 + d], dy[y3 + d]);
      #for i in 0..4
      s$i = fma(x, vec4f(kv[k$i + d]), s$i);
      d$i = fma(g, vec4f(kv[v$i + d]), d$i);
      #end
    }
    #for i in 0..4
    d$i = select(vec4f(), exp(p.scale * s$i - logs) * (d$i - mean), j + $iu < p.Nk);
    #end
    #for d in 0..D
    #for i in 0..4
    total$d = fma(d$i, vec4f(kv[k$i + $du]), total$d);
    #end
    #end
  }
  #for i in 0..4
  if (b.first + $iu < b.end) {
    #for d in 0..D
    dq[q$i + $du] = p.scale * total$d[$i];
    #end
  }
  #end
}
