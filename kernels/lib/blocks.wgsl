// For products of f32, c = a b. A workgroup computes HEIGHT × WIDTH of c, each thread 4 DOWN × 4 RIGHT in registers as
// blocks of 4×4 that lie HEIGHT / DOWN and WIDTH / RIGHT apart, so that workgroup memory is read by vec4 without bank
// conflicts. A thread stages blocks of 4×4 of the tiles of DEEP steps of k by four vec4 loads each, which are on their
// way while the tile before is used.
const A_T = 0u; // @tune
const B_T = 0u; // @tune
const HEIGHT = 128u; // @tune
const WIDTH = 128u; // @tune
const DEEP = 8u; // @tune
const DOWN = 2u; // @tune
const RIGHT = 2u; // @tune
const LOADS = 1u; // @tune: blocks that a thread stages, (HEIGHT + WIDTH) DEEP / 16 THREADS
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
const BIAS = 0u; // @tune: 1 adds a bias to every row
const TALL = HEIGHT / (4u * DOWN); // threads, one above the other
const WIDE = WIDTH / (4u * RIGHT); // and side by side
const THREADS = TALL * WIDE;

// Where a thread is among them; 32 in a row of the count are 8 wide.
fn placeOf(thread: u32) -> vec2u {
  let eights = WIDE / 8u;
  return vec2u(thread / 32u % eights * 8u + thread % 8u, thread / 32u / eights * 4u + thread % 32u / 8u);
}

const A_LINE = HEIGHT / 4u + 1u; // one more than blocks, which spreads transposed stores over the banks
const B_LINE = WIDTH / 4u + 1u;
var<workgroup> aTile: array<vec4f, DEEP * A_LINE>; // [DEEP k, blocks of 4]
var<workgroup> bTile: array<vec4f, DEEP * B_LINE>;

// The blocks of 4×4 that a thread stages: 4 steps of k from `k` on, 4 rows of a or columns of b from `side` on.
struct Block { has: bool, isA: bool, k: u32, side: u32 }

const A_COUNT = HEIGHT * DEEP / 16u;
const B_COUNT = WIDTH * DEEP / 16u;

// Block e of both tiles, in the order of memory.
fn stagedBy(e: u32) -> Block {
  let isA = e < A_COUNT;
  let f = e - select(A_COUNT, 0u, isA);
  let transposed = select(B_T == 0u, A_T == 1u, isA);
  let across = select(select(WIDTH, HEIGHT, isA), DEEP, !transposed) / 4u;
  let quad = select(f % across, f / across, transposed) * 4u;
  let block = select(f / across, f % across, transposed) * 4u;
  return Block(e < A_COUNT + B_COUNT, isA, quad, block);
}

fn stage(s: Block, x: mat4x4f) {
  if (s.isA) {
    #if A_T
    let m = x;
    #else
    let m = transpose(x);
    #endif
    #for i in 0..4
    aTile[(s.k + $iu) * A_LINE + s.side / 4u] = m[$i];
    #end
  } else if (s.has) {
    #if B_T
    let m = transpose(x);
    #else
    let m = x;
    #endif
    #for i in 0..4
    bTile[(s.k + $iu) * B_LINE + s.side / 4u] = m[$i];
    #end
  }
}
