// What info_nce_combine computes, for graphics cards, where slices are many.
// A workgroup takes a query: its threads share the slices' maxima and sums, and then a thread has a column of dq, so
// that neighbouring threads read neighbouring columns of O.
const LANES = 128u; // @tune
#import "index"
#import "scalar"
#import "special"
#import "lanes"
#import "info_nce_loss"

struct Params { N: u32, D: u32, S: u32, scale: f32 } // scale = 1 / (T N)

@group(0) @binding(0) var<storage, read> positive: array<f32>;    // [N, D], k⁺
@group(0) @binding(1) var<storage, read> stats: array<vec4f>;     // [S, N]: m, l, rank, s⁺
@group(0) @binding(2) var<storage, read> O: array<f32>;           // [S, N, D]
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;  // [N]
@group(0) @binding(4) var<storage, read_write> rank: array<f32>;  // [N]
@group(0) @binding(5) var<storage, read_write> dq: array<f32>;    // [N, D]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> weights: array<f32, THREADS>; // e^(m_z - M) of as many slices

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups);
  let ok = row < p.N;
  let at = min(row, p.N - 1u);
  let own = stats[at].w;
  var most = own;
  for (var z = lane; z < p.S; z += THREADS) { most = max(most, stats[z * p.N + at].x); }
  let M = largestLane(most, lane);
  var parts = vec2f();
  for (var z = lane; z < p.S; z += THREADS) {
    let part = stats[z * p.N + at];
    parts += vec2f(exp(part.x - M) * part.y, part.z);
  }
  let sums = sumLanes(parts, lane);
  let negative = sums.x;
  let L = unlessInfinite(expOf(own - M), M) + negative;
  if (ok & (lane == 0u)) {
    let made = lossAndRank(M, own, L, negative, sums.y);
    loss[row] = made.x;
    rank[row] = made.y;
  }
  for (var start = 0u; start < p.D; start += THREADS) {
    let c = min(start + lane, p.D - 1u);
    var sum = vec4f();
    for (var first = 0u; first < p.S; first += THREADS) {
      workgroupBarrier();
      let z = min(first + lane, p.S - 1u);
      weights[lane] = select(0.0, exp(stats[z * p.N + at].x - M), first + lane < p.S);
      workgroupBarrier();
      // Eight loads under way; those past the last slice are of the last, and weigh nothing.
      for (var k = 0u; k < min(THREADS, p.S - first); k += 8u) {
        #for j in 0..8
        let v$j = O[(min(first + k + $ju, p.S - 1u) * p.N + at) * p.D + c];
        #end
        sum += vec4f(v0, v1, v2, v3) * vec4f(weights[k], weights[k + 1u], weights[k + 2u], weights[k + 3u]);
        sum += vec4f(v4, v5, v6, v7) * vec4f(weights[k + 4u], weights[k + 5u], weights[k + 6u], weights[k + 7u]);
      }
    }
    let total = (sum.x + sum.y) + (sum.z + sum.w);
    if (ok & (start + lane < p.D)) { dq[row * p.D + c] = (total - negative * positive[row * p.D + c]) * (p.scale / L); }
  }
}
