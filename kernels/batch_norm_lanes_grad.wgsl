// What batch_norm_grad computes, for graphics cards: a thread loads EACH rows of its columns at once, 16 bytes of each
// tensor, and what is the same down the column once for all (lib/column_lanes).
const EACH = 2u; // @tune
const F16_0 = 0u; // @tune
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
const F16_7 = 0u; // @tune
override AFFINE: u32 = 1u;
override RELU: u32 = 0u;
override TRAIN: u32 = 1u;
#import "index"
#import "vec4"
#import "special"
#import "words16"

struct Params {
  C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, blocks: u32, lanes: u32, tall: u32, eps: f32,
} // C in words

@group(0) @binding(0) var<storage, read> x: array<Words>;        // [N, L, C], rows = N / splits · L; TRAIN's
@group(0) @binding(1) var<storage, read> dy: array<Words>;       // like x
@group(0) @binding(2) var<storage, read> y: array<Words>;        // like x, unread without RELU
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;     // [splits, C]
@group(0) @binding(4) var<storage, read> variance: array<vec4f>; // [splits, C]
@group(0) @binding(5) var<storage, read> gamma: array<vec4f>;    // [C], unread without AFFINE
@group(0) @binding(6) var<storage, read> sums: array<vec4f>;     // [splits, 2, C], Σ dz and Σ dz x̂; TRAIN's
@group(0) @binding(7) var<storage, read_write> dx: array<Words>; // like x
@group(1) @binding(0) var<uniform> p: Params;
#import "batch_norm_row"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
#import "column_lanes"
  if (first >= end) { return; }
  #for i in 0..EACH
  let at$i = rowOf(min(first + $iu * p.tall, end - 1u), split) * p.C + c;
  let d$i = dy[at$i];
  var x$i = Words();
  var y$i = Words();
  if (TRAIN == 1u) { x$i = x[at$i]; }
  if (RELU == 1u) { y$i = y[at$i]; }
  #end
  #for k in 0..PARTS
  let m$k = mean[(split * p.C + c) * PARTS + $ku];
  let inverse$k = inverseSqrt(variance[(split * p.C + c) * PARTS + $ku] + p.eps);
  var scale$k = inverse$k;
  if (AFFINE == 1u) { scale$k *= gamma[c * PARTS + $ku]; }
  var average$k = V();
  var slope$k = V();
  if (TRAIN == 1u) {
    average$k = sums[(2u * split * p.C + c) * PARTS + $ku] / f32(p.rows);
    slope$k = sums[((2u * split + 1u) * p.C + c) * PARTS + $ku] / f32(p.rows) * inverse$k;
  }
  #end
  #for i in 0..EACH
  if (first + $iu * p.tall < end) {
    #for k in 0..PARTS
    var v$k = part(d$i, $ku);
    if (RELU == 1u) { v$k = whereKept(v$k, part(y$i, $ku)); }
    if (TRAIN == 1u) { v$k -= average$k + (part(x$i, $ku) - m$k) * slope$k; }
    v$k *= scale$k;
    #end
    #if HALVES
    dx[at$i] = words(v0, v1);
    #else
    dx[at$i] = v0;
    #endif
  }
  #end
}
