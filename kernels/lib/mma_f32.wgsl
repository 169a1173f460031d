// For products of f32 on tensor cores (lib/mma with LOW 1): x = hi + lo, f16 both, and a b is hi hi + hi lo + lo hi.
// f16 holds 2^-24 to 65504: a workgroup scales its part of each operand by a power of two. It guesses that from a
// sample, whose largest value is brought to 2^8, watches the largest value, and computes once more where that reaches
// 2^15. So values have 22 bits down to 2^-10 of the sample's largest, and below it an error of 2^-33 of that at most.
#if LOW
const GUESS = 8;
const LIMIT = 14;
var<workgroup> again: u32;

// The nearest values of 11 bits. By bits, since compilers take v - f32(f16(v)) for 0.
fn highOf(v: vec4f) -> vec4f { return bitcast<vec4f>((bitcast<vec4u>(v) + 0x1000u) & vec4u(0xffffe000u)); }

fn stageA(at: u32, x: Chunk, scale: f32) {
  let u = x.u * scale;
  let v = x.v * scale;
  aTile[at] = vec4u(halves(highOf(u)), halves(highOf(v)));
  aLow[at] = vec4u(halves(u - highOf(u)), halves(v - highOf(v)));
}

fn stageB(at: u32, x: Chunk, scale: f32) {
  let u = x.u * scale;
  let v = x.v * scale;
  bTile[at] = vec4u(halves(highOf(u)), halves(highOf(v)));
  bLow[at] = vec4u(halves(u - highOf(u)), halves(v - highOf(v)));
}

fn largestOf(x: Chunk) -> f32 {
  let m = max(abs(x.u), abs(x.v));
  let n = max(m.xy, m.zw);
  return max(n.x, n.y);
}

fn finite(v: vec4f) -> vec4f {
  return select(vec4f(), v, (bitcast<vec4u>(v) & vec4u(0x7f800000u)) < vec4u(0x7f800000u));
}

fn powerOf(exponent: i32) -> f32 { return bitcast<f32>(u32(exponent + 127) << 23u); }

// The power of two that brings `largest` to 2^to or above; 126 at most.
fn exponentOf(largest: f32, to: i32) -> i32 { return min(to + 127 - i32(bitcast<u32>(largest) >> 23u), 126); }

// Of the scales of both operands, by the largest values of a sample.
fn exponentsOf(sample: vec2f) -> vec2i { return vec2i(exponentOf(sample.x, GUESS), exponentOf(sample.y, GUESS)); }

// What takes both scales back, in two factors.
fn unscaleOf(exponents: vec2i) -> vec2f {
  let e = -(exponents.x + exponents.y);
  return vec2f(powerOf(e / 2), powerOf(e - e / 2));
}

// A largest value that is finite and that its scale brings above the limit; else 0.
fn beyond(largest: f32, exponent: i32) -> f32 {
  let e = i32(bitcast<u32>(largest) >> 23u);
  return select(0.0, largest, (e < 255) & (e - 127 + exponent > LIMIT));
}

// The largest of all threads' values.
fn overAll(v: vec2f, thread: u32) -> vec2f {
  workgroupBarrier();
  edge[2u * thread] = v.x;
  edge[2u * thread + 1u] = v.y;
  workgroupBarrier();
  var m = vec2f();
  if (thread < 16u) {
    for (var i = thread; i < THREADS; i += 16u) { m = max(m, vec2f(edge[2u * i], edge[2u * i + 1u])); }
    edge[2u * thread] = m.x;
    edge[2u * thread + 1u] = m.y;
  }
  workgroupBarrier();
  for (var i = 0u; i < 16u; i++) { m = max(m, vec2f(edge[2u * i], edge[2u * i + 1u])); }
  return m;
}
#endif
