// Attention on tensor cores: factors are f16, sums f32. Two subgroups of 32 share 32 rows of one side, and a workgroup,
// which has PAIRS of them, passes over the other side in tiles of DEEP rows; the next tile is on its way to registers
// while one is used. Tiles hold 8 halves an element, and their lines are padded by one against bank conflicts. Past the
// last row, the last is loaded again: what comes of it is masked, or not stored.
const D = 64u; // @tune: size of a head, divisible by 32
const PARTS = 4u; // @tune: D / 16
const MINE = 2u; // @tune: D / 32, the parts of a result that a subgroup has
const PAIRS = 2u; // @tune
const DEEP = 32u; // @tune
const LOADS = 2u; // @tune: chunks of 8 of a tile that a thread brings, ⌈DEEP D / 8 THREADS⌉
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
const THREADS = 64u * PAIRS;
const ROWS = 32u * PAIRS;
const WORD = 8u;
const CHUNKS = D / WORD;
const LINE = CHUNKS + 1u; // of a tile
const TILE = DEEP * LINE;
const IN_TILE = DEEP * CHUNKS;
const LOG2E = 1.4426950408889634;

// Sizes as in lib/attention. A launch is for `heads` of all sequences' heads.
struct Params {
  batch: u32, H: u32, Nq: u32, Nk: u32, qRow: u32, kvRow: u32, kStart: u32, scale: f32,
  firstHead: u32, heads: u32,
}

// The rows from `first` on of head `head` of sequence `n`; past the last block, rows past the last.
struct Block { n: u32, head: u32, first: u32 }

// Block `i` of ROWS of the N rows of every head.
fn blockOf(i: u32, N: u32) -> Block {
  let blocks = (N + ROWS - 1u) / ROWS;
  let head = p.firstHead + min(i / blocks, p.heads - 1u);
  return Block(head / p.H, head % p.H, select(blocks, i % blocks, i / blocks < p.heads) * ROWS);
}

fn halves(v: vec4f) -> vec2u { return bitcast<vec2u>(vec4<f16>(v)); }
fn eight(u: vec4f, v: vec4f) -> vec4u { return vec4u(halves(u), halves(v)); }

// Where chunk `e` of rows of a head lies in a tile.
fn inTile(e: u32) -> u32 { return e / CHUNKS * LINE + e % CHUNKS; }

// Chunks of a row of dS in memory.
fn dsRow() -> u32 { return (p.Nk + 31u) / 32u * 4u; }
