// Σ dz and Σ dz x̂ over a chunk of rows of a split, where dz = dy at y > 0 (everywhere without RELU) and x̂ = (x -
// mean) / √(var + eps).
// One thread takes one chunk of one channel of one split (lib/batch_norm_rows). With WRITE_DZ it also writes dz, the
// residual's gradient: the pass that computes dx then need not read y.
override RELU: u32 = 0u;
override WRITE_DZ: u32 = 0u;
#import "index"
#import "single"
#import "special"

struct Params { C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;           // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read> dy: array<V>;          // like x
@group(0) @binding(2) var<storage, read> y: array<V>;           // like x, unread without RELU
@group(0) @binding(3) var<storage, read> mean: array<V>;        // [splits, C]
@group(0) @binding(4) var<storage, read> variance: array<V>;    // [splits, C]
@group(0) @binding(5) var<storage, read_write> sums: array<V>;  // [splits, chunks, C], Σ dz
@group(0) @binding(6) var<storage, read_write> sumsX: array<V>; // [splits, chunks, C], Σ dz x̂
@group(0) @binding(7) var<storage, read_write> dz: array<V>;    // like x, unwritten without WRITE_DZ
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "batch_norm_rows"
  let m = mean[split * p.C + c];
  var sum = V();
  var sumX = V();
  for (var r = first; r < end; r++) {
    var d = dy[at];
    if (RELU == 1u) { d = whereKept(d, y[at]); }
    if (WRITE_DZ == 1u) { dz[at] = d; }
    sum += d;
    sumX += d * (x[at] - m);
#import "batch_norm_next"
  }
  sums[i] = sum;
  sumsX[i] = sumX * inverseSqrt(variance[split * p.C + c] + p.eps);
}
