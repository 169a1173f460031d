// Where row `i` of queries, of keys or of y and dy begins; a row past the last is the last once more. Rows of q lie
// qRow apart, those of k and v kvRow, and k starts at kStart; D is the size of a head, WORD the floats of an element.
fn queryAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nq + min(i, p.Nq - 1u)) * p.qRow + b.head * D) / WORD; }
fn keyAt(b: Block, i: u32) -> u32 {
  return ((b.n * p.Nk + min(i, p.Nk - 1u)) * p.kvRow + p.kStart + b.head * D) / WORD;
}
fn resultAt(b: Block, i: u32) -> u32 { return ((b.n * p.Nq + min(i, p.Nq - 1u)) * p.H + b.head) * (D / WORD); }
