// Eight `at` of binding 1 as halves, 16 bytes where it is stored as f16.
fn fetch1(at: u32) -> vec4u {
  #if F16_1
  return in1[at];
  #else
  return vec4u(halves(in1[2u * at]), halves(in1[2u * at + 1u]));
  #endif
}
