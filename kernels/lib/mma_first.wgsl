// Eight `at` of binding 0 as halves, 16 bytes where it is stored as f16.
fn fetch0(at: u32) -> vec4u {
  #if F16_0
  return in0[at];
  #else
  return vec4u(halves(in0[2u * at]), halves(in0[2u * at + 1u]));
  #endif
}
