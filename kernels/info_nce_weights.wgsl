// Of a slice of the queue and one query, with s = score / T: the largest m, l = Σ e^(s - m), how many s are not below
// the positive's s⁺, and the weights e^(s - m) in place of the scores.
// A workgroup takes one slice of one query. Its scores come from a matrix product, and the next one takes its weights.
// s⁺ comes from a product of the same kernel, so that a key equal to the positive ties with it.
const LANES = 64u; // @tune
#import "index"
#import "single"
#import "special"
#import "lanes"

struct Params { N: u32, K: u32, S: u32, chunk: u32, inverseT: f32 } // K and chunk in V

@group(0) @binding(0) var<storage, read> own: array<f32>;           // [N, N], q · positiveᵀ
@group(0) @binding(1) var<storage, read_write> scores: array<V>;    // [N, K], q · queueᵀ, and then the weights
@group(0) @binding(2) var<storage, read_write> stats: array<vec4f>; // [S, N]: m, l, rank, s⁺
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let g = groupOf(group, groups);
  let row = min(g / p.S, p.N - 1u); // past the end: the last row's slices, stored by nobody
  let slice = g % p.S;
  let first = row * p.K + slice * p.chunk;
  let end = select(0u, row * p.K + min((slice + 1u) * p.chunk, p.K), g / p.S < p.N);
  var most = V(LOWEST);
  for (var i = first + lane; i < end; i += THREADS) { most = max(most, scores[i] * p.inverseT); }
  let m = largestLane(largestIn(most), lane);
  let bar = own[row * p.N + row] * p.inverseT;
  var sum = V();
  var above = V();
  for (var i = first + lane; i < end; i += THREADS) {
    let s = scores[i] * p.inverseT;
    let weight = expOf(s - m);
    scores[i] = weight;
    sum += weight;
    above += select(V(1.0), V(), s < V(bar)); // NaN counts
  }
  let sums = sumLanes(vec2f(total(sum), total(above)), lane);
  if ((lane == 0u) & (g / p.S < p.N)) { stats[slice * p.N + row] = vec4f(m, sums, bar); }
}
