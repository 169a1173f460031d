// What batch_norm computes, for graphics cards: a thread loads EACH rows of its columns at once, 16 bytes of each, and
// the statistics once for all (lib/column_lanes).
const EACH = 4u; // @tune
const F16_0 = 0u; // @tune
const F16_5 = 0u; // @tune
const F16_6 = 0u; // @tune
override AFFINE: u32 = 1u;
override RESIDUAL: u32 = 0u;
override RELU: u32 = 0u;
#import "index"
#import "vec4"
#import "special"
#import "words16"

struct Params {
  C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, blocks: u32, lanes: u32, tall: u32, eps: f32,
} // C in words

@group(0) @binding(0) var<storage, read> x: array<Words>;        // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read> mean: array<vec4f>;     // [splits, C]
@group(0) @binding(2) var<storage, read> variance: array<vec4f>; // [splits, C]
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;    // [C], unread without AFFINE
@group(0) @binding(4) var<storage, read> beta: array<vec4f>;     // [C], unread without AFFINE
@group(0) @binding(5) var<storage, read> residual: array<Words>; // like x, unread without RESIDUAL
@group(0) @binding(6) var<storage, read_write> y: array<Words>;  // like x
@group(1) @binding(0) var<uniform> p: Params;
#import "batch_norm_row"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
#import "column_lanes"
  if (first >= end) { return; }
  #for i in 0..EACH
  let at$i = rowOf(min(first + $iu * p.tall, end - 1u), split) * p.C + c;
  let x$i = x[at$i];
  var z$i = Words();
  if (RESIDUAL == 1u) { z$i = residual[at$i]; }
  #end
  #for k in 0..PARTS
  let here$k = (split * p.C + c) * PARTS + $ku;
  let m$k = mean[here$k];
  var scale$k = inverseSqrt(variance[here$k] + p.eps);
  var shift$k = V();
  if (AFFINE == 1u) { scale$k *= gamma[c * PARTS + $ku]; shift$k = beta[c * PARTS + $ku]; }
  #end
  #for i in 0..EACH
  if (first + $iu * p.tall < end) {
    #for k in 0..PARTS
    var v$k = (part(x$i, $ku) - m$k) * scale$k + shift$k;
    if (RESIDUAL == 1u) { v$k += part(z$i, $ku); }
    if (RELU == 1u) { v$k = atLeastZero(v$k); }
    #end
    #if HALVES
    y[at$i] = words(v0, v1);
    #else
    y[at$i] = v0;
    #endif
  }
  #end
}
