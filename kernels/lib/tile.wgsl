// Products from staged tiles: SIDE × SIDE threads compute 8 SIDE × 8 SIDE, each 8×8 in registers as 2×2 blocks of 4×4,
// so that workgroup memory is read by vec4 without bank conflicts. Each operand is staged in 16 steps of k, k-major, as
// [16 k, blocks of 4]; block b of step k is at b ^ (k / 4 * 2), which spreads transposed stores over the banks.
const THREADS = SIDE * SIDE;
const TILE = 8u * SIDE;
const BLOCKS = 2u * SIDE;
var<workgroup> aTile: array<vec4f, 16u * BLOCKS>;
var<workgroup> bTile: array<vec4f, 16u * BLOCKS>;

// Where the block of 4 steps of k from 4 quad begins; the next step is BLOCKS further.
fn placeOf(quad: u32, block: u32) -> u32 {
  return quad * 4u * BLOCKS + (block ^ (quad * 2u));
}

// Four steps of k, a row of m each, of the block's four rows of a (columns of b).
fn stageA(quad: u32, block: u32, m: mat4x4f) {
  #for i in 0..4
  aTile[placeOf(quad, block) + $iu * BLOCKS] = m[$i];
  #end
}
fn stageB(quad: u32, block: u32, m: mat4x4f) {
  #for i in 0..4
  bTile[placeOf(quad, block) + $iu * BLOCKS] = m[$i];
  #end
}

// Which row of the tile value i of a thread's eight is; its columns are those from 4 (thread % SIDE) on, and 4 SIDE
// further.
fn tileRow(i: u32, thread: u32) -> u32 { return (i / 4u * SIDE + thread / SIDE) * 4u + i % 4u; }
