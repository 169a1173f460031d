// Eight `at` of binding 0, 16 bytes where it is stored as f16.
fn fetch0(at: u32) -> Chunk {
  #if F16_0
  return chunkOfHalves(in0[at]);
  #else
  return chunk(in0[2u * at], in0[2u * at + 1u]);
  #endif
}
