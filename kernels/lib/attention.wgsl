// Sizes of an attention, and which rows its kernels compute, ROWS a workgroup (or a thread).
struct Params { batch: u32, H: u32, Nq: u32, Nk: u32, qRow: u32, kvRow: u32, kStart: u32, scale: f32 }

// The rows from `first` to `end` - 1 of head `head` of sequence `n`; past the last block there are none.
struct Block { n: u32, head: u32, first: u32, end: u32 }

// Block `i` of ROWS of the N rows of every head.
fn blockOf(i: u32, N: u32) -> Block {
  let blocks = (N + ROWS - 1u) / ROWS;
  let n = i / (blocks * p.H);
  return Block(min(n, p.batch - 1u), i / blocks % p.H, i % blocks * ROWS, select(0u, N, n < p.batch));
}
