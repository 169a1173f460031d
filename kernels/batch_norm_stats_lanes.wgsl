// What batch_norm_stats computes, for graphics cards: a workgroup takes a chunk of rows of a block of columns
// (lib/column_lanes), each thread EACH rows at once, 16 bytes of each; their means and squares are merged in workgroup
// memory, so that few chunks are left. A thread's pivot is its own first value: one far from the mean spoils few rows.
const EACH = 8u; // @tune
const F16_0 = 0u; // @tune
#import "index"
#import "vec4"
#import "special"
#import "words16"

struct Params {
  C: u32, L: u32, splits: u32, rows: u32, chunk: u32, chunks: u32, blocks: u32, lanes: u32, tall: u32,
} // C in words

@group(0) @binding(0) var<storage, read> x: array<Words>;          // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read_write> mean: array<vec4f>; // [splits, chunks, C], less the split's first value
@group(0) @binding(2) var<storage, read_write> m2: array<vec4f>;   // [splits, chunks, C]
@group(1) @binding(0) var<uniform> p: Params;
#import "batch_norm_row"

struct Moments { mean: vec4f, m2: vec4f }
var<workgroup> shares: array<Moments, 256>;

// Those of a chunk of `rows` rows from those of its threads, the first of which asks: the mean, and then what all are
// apart from it.
fn merged(own: Moments, rows: u32, thread: u32) -> Moments {
  workgroupBarrier(); // the last use of the shares is over
  shares[thread] = own;
  workgroupBarrier();
  let threads = select(0u, min(p.tall, rows), thread < p.lanes);
  var sum = V();
  for (var r = 0u; r < threads; r++) {
    sum += f32((rows - r - 1u) / p.tall + 1u) * (shares[thread + r * p.lanes].mean - own.mean);
  }
  let mean = own.mean + sum / f32(max(rows, 1u));
  var squares = V();
  for (var r = 0u; r < threads; r++) {
    let other = shares[thread + r * p.lanes];
    let d = other.mean - mean;
    squares += other.m2 + f32((rows - r - 1u) / p.tall + 1u) * d * d;
  }
  return Moments(mean, squares);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
#import "column_lanes"
  let origin = x[rowOf(0u, split) * p.C + c];
  let pivot = x[rowOf(min(first, p.rows - 1u), split) * p.C + c];
  #for k in 0..PARTS
  let pivot$k = part(pivot, $ku);
  var sum$k = V();
  var squares$k = V();
  #end
  var r = first;
  for (; r + (EACH - 1u) * p.tall < end; r += EACH * p.tall) {
    #for i in 0..EACH
    let x$i = x[rowOf(r + $iu * p.tall, split) * p.C + c];
    #end
    #for i in 0..EACH
    #for k in 0..PARTS
    {
      let d = part(x$i, $ku) - pivot$k;
      sum$k += d;
      squares$k += d * d;
    }
    #end
    #end
  }
  for (; r < end; r += p.tall) {
    let w = x[rowOf(r, split) * p.C + c];
    #for k in 0..PARTS
    {
      let d = part(w, $ku) - pivot$k;
      sum$k += d;
      squares$k += d * d;
    }
    #end
  }
  let n = f32(max(end + p.tall - first - 1u, p.tall) / p.tall); // its rows, or 1
  #for k in 0..PARTS
  {
    let own = Moments((pivot$k - part(origin, $ku)) + sum$k / n, atLeastZero(squares$k - sum$k * sum$k / n));
    let chunk = merged(own, end - begin, thread);
    if (isMine & (thread < p.lanes)) {
      mean[(piece * p.C + c) * PARTS + $ku] = chunk.mean;
      m2[(piece * p.C + c) * PARTS + $ku] = chunk.m2;
    }
  }
  #end
}
