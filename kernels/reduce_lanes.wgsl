// y[a, s, b] = scale · f over r of x[a, r, b] in the chunk s of the middle axis, for graphics cards: a workgroup takes
// a chunk of rows of a block of columns (lib/column_lanes), each thread EACH rows at once, 16 bytes of each; what its
// threads have is joined in workgroup memory. A second pass joins the chunks.
const EACH = 8u; // @tune
const F16_0 = 0u; // @tune
#import "index"
#import "vec4"
#import "special"
#import "reduce"
#import "words16"

struct Params {
  C: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, blocks: u32, lanes: u32, tall: u32, scale: f32,
} // C = B in words, splits = A, rows = R

@group(0) @binding(0) var<storage, read> x: array<Words>;       // [A, R, B]
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>; // [A, chunks, B]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> shares: array<vec4f, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
#import "column_lanes"
  let start = split * p.rows * p.C + c;
  let head = x[start + min(first, p.rows - 1u) * p.C]; // what a thread without rows has changes no maximum
  #for k in 0..PARTS
  var v$k = V();
  if (OP == 1u) { v$k = part(head, $ku); }
  #end
  var r = first;
  for (; r + (EACH - 1u) * p.tall < end; r += EACH * p.tall) {
    #for i in 0..EACH
    let x$i = x[start + (r + $iu * p.tall) * p.C];
    #end
    #for i in 0..EACH
    #for k in 0..PARTS
    v$k = join(v$k, part(x$i, $ku));
    #end
    #end
  }
  for (; r < end; r += p.tall) {
    let w = x[start + r * p.C];
    #for k in 0..PARTS
    v$k = join(v$k, part(w, $ku));
    #end
  }
  let rows = min(p.tall, end - begin);
  #for k in 0..PARTS
  workgroupBarrier();
  shares[thread] = v$k;
  workgroupBarrier();
  if (isMine & (thread < p.lanes)) {
    for (var i = 1u; i < rows; i++) { v$k = join(v$k, shares[thread + i * p.lanes]); }
    y[(piece * p.C + c) * PARTS + $ku] = v$k * p.scale;
  }
  #end
}
