// For attention from tiles in workgroup memory: a workgroup keeps ROWS rows of one side and passes over the other side in
// tiles of COLUMNS. Thread (r, c) of SIDE × 8 owns rows r + SIDE i, i < 4; of a tile, columns c + 8 k, k < EACH; of a
// result's row, the vec4s c + 8 j, j < WIDE. Lines in workgroup memory are a vec4 longer than a head: neighbouring
// threads read neighbouring lines, and meet other banks.
const D = 16u; // @tune: size of a head, divisible by 4
const ROWS = 32u; // @tune: divisible by 4
const COLUMNS = 16u; // @tune: 8 EACH
const EACH = 2u; // @tune
const WIDE = 1u; // @tune: ⌈D / 32⌉
const SIDE = ROWS / 4u;
const THREADS = 8u * SIDE;
const QUADS = D / 4u;
const LINE = QUADS + 1u;

// Which rows a workgroup keeps: from `first` of head `head` of sequence `n`; those from `end` on are not stored.
struct Block { n: u32, head: u32, first: u32, end: u32 }

fn blockOf(g: u32, N: u32) -> Block {
  let blocks = (N + ROWS - 1u) / ROWS;
  let n = g / (blocks * p.H);
  return Block(min(n, p.batch - 1u), g / blocks % p.H, g % blocks * ROWS, select(0u, N, n < p.batch));
}

// Where row `i` of queries, keys or dy begins, in vec4s; a row past the last is the last once more.
fn queryAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nq + min(i, p.Nq - 1u)) * p.qRow + b.head * D) / 4u; }
fn keyAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nk + min(i, p.Nk - 1u)) * p.kvRow + p.kStart + b.head * D) / 4u; }
fn resultAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nq + min(i, p.Nq - 1u)) * p.H + b.head) * QUADS; }
