// Mean and biased variance of every split from its chunks, as in batch_norm_stats_merge, and the running statistics:
//   running = (1 - momentum) running + momentum · average over splits of (mean, var · rows / (rows - 1)).
// The running variance is the unbiased one. One thread computes all splits of one channel, so that they are averaged in
// order; few chunks are left by now.
#import "index"
#import "scalar"
#import "special"

struct Params { C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, momentum: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;                 // [N, L, C]
// [splits, chunks, C], less the split's first value
@group(0) @binding(1) var<storage, read> chunkMean: array<f32>;
@group(0) @binding(2) var<storage, read> chunkM2: array<f32>;           // [splits, chunks, C]
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;        // [splits, C]
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;    // [splits, C]
@group(0) @binding(5) var<storage, read_write> runningMean: array<f32>; // [C]
@group(0) @binding(6) var<storage, read_write> runningVar: array<f32>;  // [C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let c = groupOf(group, groups) * 64u + lane;
  if (c >= p.C) { return; }
  let n = f32(p.rows);
  var means = 0.0;
  var variances = 0.0;
  for (var s = 0u; s < p.splits; s++) {
    let start = s * p.chunks * p.C + c;
    let pivot = chunkMean[start];
    var sum = 0.0;
    var squares = 0.0;
    for (var k = 0u; k < p.chunks; k++) {
      let count = f32(min(p.chunk, p.rows - min(k * p.chunk, p.rows)));
      let d = chunkMean[start + k * p.C] - pivot;
      sum += count * d;
      squares += chunkM2[start + k * p.C] + count * d * d;
    }
    let m = x[s * p.L * p.C + c] + (pivot + sum / n);
    let m2 = atLeastZero(squares - sum * sum / n);
    mean[s * p.C + c] = m;
    variance[s * p.C + c] = m2 / n;
    means += m;
    variances += m2 / (n - 1.0);
  }
  let share = p.momentum / f32(p.splits);
  runningMean[c] = (1.0 - p.momentum) * runningMean[c] + share * means;
  runningVar[c] = (1.0 - p.momentum) * runningVar[c] + share * variances;
}
