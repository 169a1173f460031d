// Where the tiled kernels of attention (lib/row_tiles) find their rows. D is the size of a head.
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
