// The statistics of `span` neighbouring chunks as those of one:
//   mean = pivot + Σ n d / Σ n,  m2 = Σ (m2 + n d²) - (Σ n d)² / Σ n,  d = mean of the chunk - pivot.
// One thread computes one merged chunk of one channel of one split; the pass keeps the last one short where chunks are
// many. Means are all less the split's first value. The pivot is the first of them: a mean that moved from chunk to
// chunk would stop once its steps fall below one ulp.
#import "index"
#import "scalar"
#import "special"

struct Params { C: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, span: u32 }

@group(0) @binding(0) var<storage, read> mean: array<f32>;             // [splits, chunks, C]
@group(0) @binding(1) var<storage, read> m2: array<f32>;               // [splits, chunks, C]
@group(0) @binding(2) var<storage, read_write> mergedMean: array<f32>; // [splits, chunks / span, C]
@group(0) @binding(3) var<storage, read_write> mergedM2: array<f32>;   // [splits, chunks / span, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  let merged = p.chunks / p.span;
  if (i >= p.splits * merged * p.C) { return; }
  let k = (i / p.C) % merged * p.span;
  let start = (i / (p.C * merged) * p.chunks + k) * p.C + i % p.C;
  let pivot = mean[start];
  var n = 0.0;
  var sum = 0.0;
  var squares = 0.0;
  for (var j = 0u; j < p.span; j++) {
    let count = f32(min(p.chunk, p.rows - min((k + j) * p.chunk, p.rows)));
    let d = mean[start + j * p.C] - pivot;
    n += count;
    sum += count * d;
    squares += m2[start + j * p.C] + count * d * d;
  }
  mergedMean[i] = pivot + sum / max(n, 1.0);
  mergedM2[i] = atLeastZero(squares - sum * sum / max(n, 1.0));
}
