// f(u, v) of "binary" and "binary_number". After "special".
override OP: u32 = 0u; // 0 add, 1 sub, 2 mul, 3 div, 4 greater, 5 maximum

fn combine(u: V, v: V) -> V {
  switch OP {
    case 0u: { return u + v; }
    case 1u: { return u - v; }
    case 2u: { return u * v; }
    case 3u: { return u / v; }
    case 4u: { return select(V(), V(1.0), u > v); }
    default: { return unlessNan(unlessNan(max(u, v), v), u); }
  }
}
