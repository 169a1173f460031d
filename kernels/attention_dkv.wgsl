// dv = Σ over queries of P dy, dk = scale Σ over queries of dS q, with P and dS as in attention_dq.
// One thread computes dk and dv of four keys, held as the parts of vec4s, and takes four queries at a time. Every sum
// has one owner and one order.
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
@group(0) @binding(5) var<storage, read_write> dkv: array<f32>; // like kv
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let b = blockOf(groupOf(group, groups) * 64u + lane, p.Nk);
  if (b.first >= b.end) { return; }
  // Beyond the edge, the last key is computed again and not stored.
  #for i in 0..4
  let k$i = keyAt(b, b.first + $iu);
  let v$i = k$i + p.H * D;
  #end
  #for d in 0..D
  var dk$d = vec4f();
  var dv$d = vec4f();
  #end
  for (var j = 0u; j < p.Nq; j += 4u) {
    #for i in 0..4
    let q$i = queryAt(b, j + $iu);
    let y$i = resultAt(b, j + $iu);
    var s$i = vec4f();
    var d$i = vec4f();
    #end
    for (var d = 0u; d < D; d++) {
      let k = vec4f(kv[k0 + d], kv[k1 + d], kv[k2 + d], kv[k3 + d]);
      let v = vec4f(kv[v0 + d], kv[v1 + d], kv[v2 + d], kv[v3 + d]);
      #for i in 0..4
      s$i = fma(k, vec4f(q[q$i + d]), s$i);
      d$i = fma(v, vec4f(dy[y$i + d]), d$i);
      #end
    }
    #for i in 0..4
    s$i = select(vec4f(), exp(p.scale * s$i - lse[y$i / D]), j + $iu < p.Nq);
    d$i = s$i * (d$i - delta[y$i / D]);
    #end
    #for d in 0..D
    #for i in 0..4
    dk$d = fma(d$i, vec4f(q[q$i + $du]), dk$d);
    dv$d = fma(s$i, vec4f(dy[y$i + $du]), dv$d);
    #end
    #end
  }
  #for i in 0..4
  if (b.first + $iu < b.end) {
    #for d in 0..D
    dkv[k$i + $du] = p.scale * dk$d[$i];
    dkv[v$i + $du] = dv$d[$i];
    #end
  }
  #end
}
