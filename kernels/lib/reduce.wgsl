// What a reduction makes of two values. After "special".
override OP: u32 = 0u; // 0 sum, 1 max

fn join(a: V, b: V) -> V {
  if (OP == 0u) { return a + b; }
  return select(a, b, (b > a) | isNan(b)); // cheaper than max
}
