// What a kernel works on: four neighbouring words at a time; see "single".
alias V = vec4f;
alias U = vec4u;
alias B = vec4<bool>;
alias Bits = vec4u;
const WIDTH = 4.0;

fn total(v: V) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn largestIn(v: V) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn spreadWord(v: U, i: u32) -> U {
  let half = select(v.xy, v.zw, (i & 2u) != 0u); // cheaper on vector units than v[i % 4u]
  return U(select(half.x, half.y, (i & 1u) != 0u));
}

fn spread(v: V, i: u32) -> V {
  let half = select(v.xy, v.zw, (i & 2u) != 0u);
  return V(select(half.x, half.y, (i & 1u) != 0u));
}
