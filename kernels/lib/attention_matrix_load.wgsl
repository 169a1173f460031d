// Chunks of 8 halves of q and kv, bindings 0 and 1, whatever these are stored as.
fn loadQ(at: u32) -> vec4u {
  #if F16_0
  return q[at];
  #else
  return eight(q[2u * at], q[2u * at + 1u]);
  #endif
}

fn loadKv(at: u32) -> vec4u {
  #if F16_1
  return kv[at];
  #else
  return eight(kv[2u * at], kv[2u * at + 1u]);
  #endif
}
