// Sizes of an attention, and where its kernels find their rows. Rows of q lie qRow apart, those of k and v kvRow, and k
// starts at kStart. D is the size of a head, ROWS what a workgroup (or a thread) owns, WORD the floats of an element.
struct Params { batch: u32, H: u32, Nq: u32, Nk: u32, qRow: u32, kvRow: u32, kStart: u32, scale: f32 }

// The rows from `first` to `end` - 1 of head `head` of sequence `n`; past the last block there are none.
struct Block { n: u32, head: u32, first: u32, end: u32 }

// Block `i` of ROWS of the N rows of every head.
fn blockOf(i: u32, N: u32) -> Block {
  let blocks = (N + ROWS - 1u) / ROWS;
  let n = i / (blocks * p.H);
  return Block(min(n, p.batch - 1u), i / blocks % p.H, i % blocks * ROWS, select(0u, N, n < p.batch));
}

// Where row `i` of queries, of keys or of y and dy begins; a row past the last is the last once more.
fn queryAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nq + min(i, p.Nq - 1u)) * p.qRow + b.head * D) / WORD; }
fn keyAt(b: Block, i: u32) -> u32 {
  return ((b.n * p.Nk + min(i, p.Nk - 1u)) * p.kvRow + p.kStart + b.head * D) / WORD;
}
fn resultAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nq + min(i, p.Nq - 1u)) * p.H + b.head) * (D / WORD); }
