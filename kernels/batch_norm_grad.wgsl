// dx = gamma / √(var + eps) · (dz - Σ dz / rows - x̂ Σ dz x̂ / rows), where dz = dy at y > 0 (everywhere without RELU).
// Without TRAIN mean and var are constants, and only the first term stays.
// One thread takes a chunk of rows of one channel of one split (lib/batch_norm_rows), and computes once what is the
// same down the column.
override AFFINE: u32 = 1u;
override RELU: u32 = 0u;
override TRAIN: u32 = 1u;
#import "index"
#import "single"
#import "special"

struct Params { C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;        // [N, L, C], rows = N / splits · L; unread without TRAIN
@group(0) @binding(1) var<storage, read> dy: array<V>;       // like x
@group(0) @binding(2) var<storage, read> y: array<V>;        // like x, unread without RELU
@group(0) @binding(3) var<storage, read> mean: array<V>;     // [splits, C]
@group(0) @binding(4) var<storage, read> variance: array<V>; // [splits, C]
@group(0) @binding(5) var<storage, read> gamma: array<V>;    // [C], unread without AFFINE
@group(0) @binding(6) var<storage, read> sums: array<V>;     // [splits, 2, C], Σ dz and Σ dz x̂; unread without TRAIN
@group(0) @binding(7) var<storage, read_write> dx: array<V>; // like x
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "batch_norm_rows"
  let m = mean[split * p.C + c];
  let inverse = inverseSqrt(variance[split * p.C + c] + p.eps);
  var scale = inverse;
  if (AFFINE == 1u) { scale *= gamma[c]; }
  var average = V();
  var slope = V();
  if (TRAIN == 1u) {
    average = sums[2u * split * p.C + c] / f32(p.rows);
    slope = sums[(2u * split + 1u) * p.C + c] / f32(p.rows) * inverse;
  }
  for (var r = first; r < end; r++) {
    var d = dy[at];
    if (RELU == 1u) { d = whereKept(d, y[at]); }
    if (TRAIN == 1u) { d -= average + (x[at] - m) * slope; }
    dx[at] = d * scale;
#import "batch_norm_next"
  }
}
