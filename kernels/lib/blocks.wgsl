// For products of f32, c = a b. A workgroup computes HEIGHT × WIDTH of c, each thread 4 DOWN × 4 RIGHT in registers as
// blocks of 4×4 that lie HEIGHT / DOWN and WIDTH / RIGHT apart, so that workgroup memory is read by vec4 without bank
// conflicts. Of tiles of DEEP steps of k a thread brings at most one 4×4 block of a and one of b, by four vec4 loads
// that are on their way while the tile before is used.
const HEIGHT = 128u; // @tune
const WIDTH = 128u; // @tune
const DEEP = 16u; // @tune
const DOWN = 2u; // @tune
const RIGHT = 2u; // @tune
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
const TALL = HEIGHT / (4u * DOWN); // threads, one above the other
const WIDE = WIDTH / (4u * RIGHT); // and side by side
const THREADS = TALL * WIDE;
const QUADS = DEEP / 4u;

// Where a thread is among them; 32 in a row of the count are 8 wide.
fn placeOf(thread: u32) -> vec2u {
  let eights = WIDE / 8u;
  return vec2u(thread / 32u % eights * 8u + thread % 8u, thread / 32u / eights * 4u + thread % 32u / 8u);
}

const A_BLOCKS = HEIGHT / 4u;
const B_BLOCKS = WIDTH / 4u;
// [DEEP k, blocks of 4]; block b of step k is at b ^ (k / 4 * 2), which spreads transposed stores over the banks
var<workgroup> aTile: array<vec4f, DEEP * A_BLOCKS>;
var<workgroup> bTile: array<vec4f, DEEP * B_BLOCKS>;

// Four steps of k of a block of a (of b), a row of m each.
fn stageA(quad: u32, block: u32, m: mat4x4f) {
  #for i in 0..4
  aTile[(quad * 4u + $iu) * A_BLOCKS + (block ^ (quad * 2u % A_BLOCKS))] = m[$i];
  #end
}
fn stageB(quad: u32, block: u32, m: mat4x4f) {
  #for i in 0..4
  bTile[(quad * 4u + $iu) * B_BLOCKS + (block ^ (quad * 2u % B_BLOCKS))] = m[$i];
  #end
}
