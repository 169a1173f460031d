// 8 neighbours of binding 0 as halves, 16 bytes where it is stored as f16; zeros where not ok.
fn fetch0(at: u32, ok: bool) -> vec4u {
  let i = select(0u, at, ok);
  #if F16_0
  return select(vec4u(), in0[i / 8u], ok);
  #else
  return select(vec4u(), vec4u(halves(in0[i / 4u]), halves(in0[i / 4u + 1u])), ok);
  #endif
}
