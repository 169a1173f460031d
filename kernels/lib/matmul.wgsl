// Shared by the variants of matmul. A launch may split K: c then holds [batch, split, M, N] partial sums, added in
// order afterwards.
struct Params {
  batch: u32, M: u32, N: u32, K: u32, aBatch: u32, bBatch: u32, aRow: u32, aCol: u32, bRow: u32, bCol: u32,
  split: u32, chunk: u32,
}

// Whether an operand's contiguous axis is its first. No `override`: one pipeline serves all transposes.
fn aTransposed() -> bool {
  return (p.aRow == 1u) & (p.aCol != 1u);
}

fn bTransposed() -> bool {
  return (p.bRow == 1u) & (p.bCol != 1u);
}

// Where one tile of c starts, where its matrices start in their buffers, and the stretch of K that is summed.
struct Tile { row: u32, column: u32, a: u32, b: u32, c: u32, start: u32, end: u32 }

// Tile `g` of height × width. Bands of 8 tile rows are walked column by column, so that neighbours find operands in
// cache.
fn tileOf(g: u32, height: u32, width: u32) -> Tile {
  let across = (p.N + width - 1u) / width;
  let down = (p.M + height - 1u) / height;
  let t = g % (across * down);
  let first = t / (8u * across) * 8u;
  let band = min(down - first, 8u);
  let inBand = t % (8u * across);
  let z = g / (across * down);
  let batch = z / p.split;
  // Past the last batch (folded groups) a tile has no rows and sums nothing.
  let row = select((first + inBand % band) * height, p.M, batch >= p.batch);
  let start = (z % p.split) * p.chunk;
  let end = select(min(start + p.chunk, p.K), start, batch >= p.batch);
  return Tile(row, inBand / band * width, batch * p.aBatch, batch * p.bBatch, z * p.M * p.N, start, end);
}
