// Eight `at` of binding 2, 16 bytes where it is stored as f16.
fn put(at: u32, u: vec4f, v: vec4f) {
  #if F16_2
  out[at] = vec4u(halves(u), halves(v));
  #else
  out[2u * at] = u;
  out[2u * at + 1u] = v;
  #endif
}
