// y = (x - mean) / √(var + eps) · gamma + beta, then + residual, then max(0, ·).
// One thread takes a chunk of rows of one channel of one split (lib/batch_norm_rows), and computes once what is the
// same down the column. The addition and the relu are in the same pass, which memory bounds: each would be another
// pass.
override AFFINE: u32 = 1u;
override RESIDUAL: u32 = 0u;
override RELU: u32 = 0u;
#import "index"
#import "single"
#import "special"

struct Params { C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;        // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read> mean: array<V>;     // [splits, C]
@group(0) @binding(2) var<storage, read> variance: array<V>; // [splits, C]
@group(0) @binding(3) var<storage, read> gamma: array<V>;    // [C], unread without AFFINE
@group(0) @binding(4) var<storage, read> beta: array<V>;     // [C], unread without AFFINE
@group(0) @binding(5) var<storage, read> residual: array<V>; // like x, unread without RESIDUAL
@group(0) @binding(6) var<storage, read_write> y: array<V>;  // like x
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "batch_norm_rows"
  let m = mean[split * p.C + c];
  var scale = inverseSqrt(variance[split * p.C + c] + p.eps);
  var shift = V();
  if (AFFINE == 1u) { scale *= gamma[c]; shift = beta[c]; }
  for (var r = first; r < end; r++) {
    var v = (x[at] - m) * scale + shift;
    if (RESIDUAL == 1u) { v += residual[at]; }
    if (RELU == 1u) { v = atLeastZero(v); }
    y[at] = v;
#import "batch_norm_next"
  }
}
