// 8 neighbours go to binding 2, 16 bytes where it is stored as f16.
fn put(at: u32, ok: bool, u: vec4f, v: vec4f) {
  if (ok) {
    #if F16_2
    out[at / 8u] = vec4u(halves(u), halves(v));
    #else
    out[at / 4u] = u;
    out[at / 4u + 1u] = v;
    #endif
  }
}
