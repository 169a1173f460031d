// Where row `r` of a split lies among all rows: a split holds the samples n with n % splits = split, of L rows each.
fn rowOf(r: u32, split: u32) -> u32 {
  if (p.splits == 1u) { return r; }
  return r + (r / p.L * (p.splits - 1u) + split) * p.L;
}
