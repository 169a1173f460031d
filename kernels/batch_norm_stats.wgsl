// Mean and sum of squared deviations of x over a chunk of rows of a split:
//   mean = pivot + Σ d / n,  m2 = Σ d² - (Σ d)² / n,  d = x - pivot, where pivot is the chunk's first value.
// One thread takes one chunk of one channel of one split (lib/batch_norm_rows). Neighbouring threads read neighbouring
// channels, so that every load is a run, without workgroup memory or a barrier.
// A pivot from the data keeps the subtraction harmless: where it is far from the mean, it makes m2 as large. Means are
// distances from the split's first value, because far from 0 they would be rounded to its ulp.
#import "index"
#import "single"
#import "special"

struct Params { C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> x: array<V>;          // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read_write> mean: array<V>; // [splits, chunks, C], less the split's first value
@group(0) @binding(2) var<storage, read_write> m2: array<V>;   // [splits, chunks, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "batch_norm_rows"
  let pivot = x[at];
  var sum = V();
  var squares = V();
  for (var r = first; r < end; r++) {
    let d = x[at] - pivot;
    sum += d;
    squares += d * d;
#import "batch_norm_next"
  }
  let n = f32(max(end, first + 1u) - first); // 1 in a chunk past the end, whose sums are 0
  mean[i] = (pivot - x[split * p.L * p.C + c]) + sum / n;
  m2[i] = atLeastZero(squares - sum * sum / n);
}
