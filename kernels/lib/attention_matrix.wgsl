// Attention on tensor cores: factors are f16, sums f32. A workgroup keeps ROWS rows of one side, a subgroup of 32 TALL times
// 16 of them, and passes over the other side in tiles of DEEP rows, the next of which is on its way to registers while one
// is used. Tiles hold 8 halves an element; their lines are padded by one against bank conflicts.
// Scores leave a subgroup's matrices for its own part of workgroup memory, where two lanes share a row.
const D = 64u; // @tune: size of a head, divisible by 16
const PARTS = 4u; // @tune: D / 16
const SUBGROUPS = 4u; // @tune
const TALL = 1u; // @tune
const DEEP = 32u; // @tune
const SLICES = 2u; // @tune: DEEP / 16
const LOADS = 2u; // @tune: chunks of 8 of one tile that a thread stages, ⌈DEEP D / 8 THREADS⌉
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
const THREADS = 32u * SUBGROUPS;
const OWN = 16u * TALL;         // rows of a subgroup
const SHARE = 1u; // @tune: subgroups that share their rows
const ROWS = SUBGROUPS / SHARE * OWN;
const WORD = 1u;
const CHUNKS = D / 8u;
const LINE = CHUNKS + 1u;       // of a tile
const TILE = DEEP * LINE;
const LOG2E = 1.4426950408889634;
const NONE = -1e30; // no score

fn halves(v: vec4f) -> vec2u { return bitcast<vec2u>(vec4<f16>(v)); }
fn eight(u: vec4f, v: vec4f) -> vec4u { return vec4u(halves(u), halves(v)); }

// Sizes as in lib/attention; a launch is for `heads` of all sequences' heads, and rows of dS have dsRow places.
struct Params {
  batch: u32, H: u32, Nq: u32, Nk: u32, qRow: u32, kvRow: u32, kStart: u32, scale: f32,
  firstHead: u32, heads: u32, dsRow: u32
}

// The rows from `first` on of head `head` of sequence `n`; there are none past the last block.
struct Block { n: u32, head: u32, first: u32 }

// Block `i` of ROWS of the N rows of every head.
fn blockOf(i: u32, N: u32) -> Block {
  let blocks = (N + ROWS - 1u) / ROWS;
  let head = p.firstHead + min(i / blocks, p.heads - 1u);
  return Block(head / p.H, head % p.H, select(N, i % blocks * ROWS, i / blocks < p.heads));
}

// Chunk `c` of a row's scores, 8 each and `chunks` together, that lane `h` of two has; chunks that follow each other meet
// other banks.
fn chunkOf(c: u32, h: u32, chunks: u32) -> u32 { return select(2u * c + h, (c / 2u * 2u + h) * 2u + c % 2u, chunks % 4u == 0u); }
