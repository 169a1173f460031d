// What batch_norm_sums_grad computes, for graphics cards: a workgroup takes a chunk of rows of a block of columns
// (lib/column_lanes), each thread EACH rows at once, 16 bytes of each tensor; their sums are added in workgroup memory,
// so that few chunks are left to add.
const EACH = 4u; // @tune
const F16_0 = 0u; // @tune
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
const F16_7 = 0u; // @tune
override RELU: u32 = 0u;
override WRITE_DZ: u32 = 0u;
#import "index"
#import "vec4"
#import "special"
#import "words16"
#import "column_sums"

struct Params {
  C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, blocks: u32, lanes: u32, tall: u32, eps: f32,
} // C in words

@group(0) @binding(0) var<storage, read> x: array<Words>;           // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read> dy: array<Words>;          // like x
@group(0) @binding(2) var<storage, read> y: array<Words>;           // like x, unread without RELU
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;        // [splits, C]
@group(0) @binding(4) var<storage, read> variance: array<vec4f>;    // [splits, C]
@group(0) @binding(5) var<storage, read_write> sums: array<vec4f>;  // [splits, chunks, C], Σ dz
@group(0) @binding(6) var<storage, read_write> sumsX: array<vec4f>; // [splits, chunks, C], Σ dz x̂
@group(0) @binding(7) var<storage, read_write> dz: array<Words>;    // like x, unwritten without WRITE_DZ
@group(1) @binding(0) var<uniform> p: Params;
#import "batch_norm_row"

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
#import "column_lanes"
  #for k in 0..PARTS
  let m$k = mean[(split * p.C + c) * PARTS + $ku];
  var sum$k = V();
  var sumX$k = V();
  #end
  for (var r = first; r < end; r += EACH * p.tall) {
    #for i in 0..EACH
    let at$i = rowOf(min(r + $iu * p.tall, end - 1u), split) * p.C + c;
    let x$i = x[at$i];
    let d$i = dy[at$i];
    var y$i = Words();
    if (RELU == 1u) { y$i = y[at$i]; }
    #end
    #for i in 0..EACH
    if (r + $iu * p.tall < end) {
      #for k in 0..PARTS
      var v$k = part(d$i, $ku);
      if (RELU == 1u) { v$k = whereKept(v$k, part(y$i, $ku)); }
      sum$k += v$k;
      sumX$k += v$k * (part(x$i, $ku) - m$k);
      #end
      if (WRITE_DZ == 1u) {
        #if HALVES
        dz[at$i] = words(v0, v1);
        #else
        dz[at$i] = v0;
        #endif
      }
    }
    #end
  }
  #for k in 0..PARTS
  {
    let both = sumColumns(sum$k, sumX$k, thread, p.lanes, p.tall);
    if (isMine & (thread < p.lanes)) {
      sums[(piece * p.C + c) * PARTS + $ku] = both.a;
      let inverse = inverseSqrt(variance[(split * p.C + c) * PARTS + $ku] + p.eps);
      sumsX[(piece * p.C + c) * PARTS + $ku] = both.b * inverse;
    }
  }
  #end
}
