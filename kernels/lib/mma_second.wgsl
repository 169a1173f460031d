// Eight `at` of binding 1, 16 bytes where it is stored as f16.
fn fetch1(at: u32) -> Chunk {
  #if F16_1
  return chunkOfHalves(in1[at]);
  #else
  return chunk(in1[2u * at], in1[2u * at + 1u]);
  #endif
}
