// What is NaN stays NaN, by its bits: compilers may assume that floats are neither NaN nor infinite, and max, min,
// clamp and a comparison's other branch drop NaN. After "single", "scalar" or "vec4".
const INF = 0x7f800000u;
const LOWEST = -3.4028234663852886e38; // of all numbers

fn isNan(v: V) -> B { return (bitcast<U>(v) & U(0x7fffffffu)) > U(INF); }

// `made`, but v itself where that is NaN.
fn unlessNan(made: V, v: V) -> V { return select(made, v, isNan(v)); }

// `made`, but NaN where the largest value, which was taken from all, is infinite: ∞ - ∞, which some adapters make 0.
fn unlessInfinite(made: V, most: V) -> V {
  return select(made, bitcast<V>(bitcast<U>(most) | U(0x7fc00000u)), bitcast<U>(most) == U(INF));
}

// e^v. Some adapters make e^NaN infinite.
fn expOf(v: V) -> V { return unlessNan(exp(v), v); }

// max(v, 0).
fn atLeastZero(v: V) -> V { return select(v, V(), (bitcast<U>(v) - U(0x80000000u)) <= U(INF)); }

// d where `kept`, what atLeastZero() gave, is above 0 or NaN; else 0.
fn whereKept(d: V, kept: V) -> V { return select(d, V(), bitcast<U>(kept) == U()); }

// Whether `v` takes the place of the largest value so far: the first NaN is larger than any number.
fn beats(v: V, most: V) -> B { return (v > most) | (isNan(v) & ((bitcast<U>(most) << U(1u)) <= U(INF << 1u))); }

// ln v: NaN below 0 and of NaN, -∞ of 0.
fn ln(v: V) -> V {
  let bits = bitcast<U>(v);
  // -∞, from bits that are 0
  let number = select(log(v), bitcast<V>((bits << U(1u)) | U(0xff800000u)), (bits << U(1u)) == U());
  return select(number, bitcast<V>(bits | U(0x7fc00000u)), (bits > U(0x80000000u)) | isNan(v));
}
