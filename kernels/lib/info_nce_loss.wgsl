// A query's loss and rank from M, the largest of all its s; own = s⁺; L = Σ e^(s - M) over the positive and the queue,
// `negative` its part of the queue, and `above`, how many s are not below s⁺:
//   loss = ln L + M - s⁺,  rank = above, or LAST where the loss, by its bits, is infinite or no number.
const ONES = 0x7f800000u;
const LAST = 4294967296.0;

// ln(1 + x), also where x is so small that 1 + x loses it
fn log1p(x: f32) -> f32 {
  return select(ln(1.0 + x), x * (1.0 - x * (0.5 - x * (0.33333333 - x * 0.25))), x < 0.01);
}

fn lossAndRank(M: f32, own: f32, L: f32, negative: f32, above: f32) -> vec2f {
  let bits = bitcast<u32>(select(ln(L) + (M - own), unlessInfinite(log1p(negative), M), M == own));
  return vec2f(bitcast<f32>(bits), select(above, LAST, (bits & ONES) == ONES));
}
