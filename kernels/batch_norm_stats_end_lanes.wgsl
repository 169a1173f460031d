// What batch_norm_stats_end computes, for graphics cards, where chunks are many: 32 threads share a channel
// (lib/tail_lanes).
#import "index"
#import "scalar"
#import "special"
#import "tail_lanes"

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

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let channel = groupOf(group, groups) * 8u + lane % 8u;
  let c = min(channel, p.C - 1u);
  let isMine = (channel < p.C) & (lane < 8u);
  let n = f32(p.rows);
  var means = 0.0;
  var variances = 0.0;
  for (var s = 0u; s < p.splits; s++) {
    let start = s * p.chunks * p.C + c;
    let pivot = chunkMean[start];
    var own = vec2f();
    for (var k = lane / 8u; k < p.chunks; k += 128u) {
      #for i in 0..4
      let k$i = min(k + $iu * 32u, p.chunks - 1u);
      let count$i = select(0.0, f32(p.rows - min(k$i * p.chunk, p.rows)), k + $iu * 32u < p.chunks);
      let d$i = chunkMean[start + k$i * p.C] - pivot;
      let m2$i = chunkM2[start + k$i * p.C];
      #end
      #for i in 0..4
      {
        let count = min(f32(p.chunk), count$i);
        own += vec2f(count * d$i, select(0.0, m2$i, count > 0.0) + count * d$i * d$i);
      }
      #end
    }
    let sums = sumTail(own, lane);
    let m = x[s * p.L * p.C + c] + (pivot + sums.x / n);
    let m2 = atLeastZero(sums.y - sums.x * sums.x / n);
    if (isMine) {
      mean[s * p.C + c] = m;
      variance[s * p.C + c] = m2 / n;
    }
    means += m;
    variances += m2 / (n - 1.0);
  }
  let share = p.momentum / f32(p.splits);
  if (isMine) {
    runningMean[c] = (1.0 - p.momentum) * runningMean[c] + share * means;
    runningVar[c] = (1.0 - p.momentum) * runningVar[c] + share * variances;
  }
}
