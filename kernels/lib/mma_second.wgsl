// 8 neighbours of binding 1 as halves, 16 bytes where it is stored as f16; zeros where not ok.
fn fetch1(at: u32, ok: bool) -> vec4u {
  let i = select(0u, at, ok);
  #if F16_1
  return select(vec4u(), in1[i / 8u], ok);
  #else
  return select(vec4u(), vec4u(halves(in1[i / 4u]), halves(in1[i / 4u + 1u])), ok);
  #endif
}
