// InfoNCE from the slices of the queue and the positive key, as a softmax over K + 1 keys with the positive first.
// With M the largest of s⁺ and the slices' m_z, negative = Σ_z l_z e^(m_z - M) and L = e^(s⁺ - M) + negative
// (lib/info_nce_loss):
//   dq_i = (Σ_z e^(m_z - M) O_z / L - negative / L · k⁺_i) / (T N),
// where -negative / L is p⁺ - 1 without its cancellation.
// One thread computes one element of dq, and the first of a row also its loss and rank. Every thread sums the S slices
// of its row again: S is small.
#import "index"
#import "scalar"
#import "special"
#import "info_nce_loss"

struct Params { N: u32, D: u32, S: u32, scale: f32 } // scale = 1 / (T N)

@group(0) @binding(0) var<storage, read> positive: array<f32>;    // [N, D], k⁺
@group(0) @binding(1) var<storage, read> stats: array<vec4f>;     // [S, N]: m, l, rank, s⁺
@group(0) @binding(2) var<storage, read> O: array<f32>;           // [S, N, D]
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;  // [N]
@group(0) @binding(4) var<storage, read_write> rank: array<f32>;  // [N]
@group(0) @binding(5) var<storage, read_write> dq: array<f32>;    // [N, D]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let at = groupOf(group, groups) * 64u + lane;
  if (at >= p.N * p.D) { return; }
  let row = at / p.D;
  let own = stats[row].w;
  var M = own;
  for (var z = 0u; z < p.S; z++) { M = max(M, stats[z * p.N + row].x); }
  var negative = 0.0;
  var above = 0.0;
  var total = 0.0;
  for (var z = 0u; z < p.S; z++) {
    let part = stats[z * p.N + row];
    let weight = exp(part.x - M);
    negative += weight * part.y;
    above += part.z;
    total += weight * O[z * p.N * p.D + at];
  }
  let L = unlessInfinite(expOf(own - M), M) + negative;
  dq[at] = (total - negative * positive[at]) * (p.scale / L);
  if (at % p.D == 0u) {
    let made = lossAndRank(M, own, L, negative, above);
    loss[row] = made.x;
    rank[row] = made.y;
  }
}
