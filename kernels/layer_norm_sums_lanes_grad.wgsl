// What layer_norm_sums_grad computes, for graphics cards: a workgroup takes a chunk of rows of a block of columns
// (lib/column_lanes), each thread EACH rows at once, 16 bytes of x and of dy; their sums are added in workgroup memory.
const EACH = 4u; // @tune
const F16_0 = 0u; // @tune
const F16_1 = 0u; // @tune
#import "index"
#import "vec4"
#import "words16"
#import "column_sums"

struct Params {
  C: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, blocks: u32, lanes: u32, tall: u32,
} // C in words; one split

@group(0) @binding(0) var<storage, read> x: array<Words>;           // [rows, C]
@group(0) @binding(1) var<storage, read> dy: array<Words>;          // [rows, C]
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;       // [rows], mean and rstd
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;  // [chunks, C], Σ dy
@group(0) @binding(4) var<storage, read_write> sumsX: array<vec4f>; // [chunks, C], Σ dy x̂
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
#import "column_lanes"
  #for k in 0..PARTS
  var sum$k = V();
  var sumX$k = V();
  #end
  for (var r = first; r < end; r += EACH * p.tall) {
    #for i in 0..EACH
    let row$i = min(r + $iu * p.tall, end - 1u);
    let x$i = x[row$i * p.C + c];
    let d$i = dy[row$i * p.C + c];
    let of$i = stats[row$i];
    #end
    #for i in 0..EACH
    if (r + $iu * p.tall < end) {
      #for k in 0..PARTS
      sum$k += part(d$i, $ku);
      sumX$k += part(d$i, $ku) * ((part(x$i, $ku) - of$i.x) * of$i.y);
      #end
    }
    #end
  }
  #for k in 0..PARTS
  {
    let both = sumColumns(sum$k, sumX$k, thread, p.lanes, p.tall);
    if (isMine & (thread < p.lanes)) {
      sums[(piece * p.C + c) * PARTS + $ku] = both.a;
      sumsX[(piece * p.C + c) * PARTS + $ku] = both.b;
    }
  }
  #end
}
