// For products of f32 on tensor cores (lib/mma with LOW 1): x = hi + lo, halves both, and a b is hi hi + hi lo + lo hi.
// Halves hold 2^-24 to 65504: a workgroup scales its part of an operand by a power of two. It guesses it from a sample,
// which is brought to 2^8, keeps the largest value in sight, and computes once more where that reaches 2^15.
var<workgroup> again: u32;
const GUESS = 8;
const LIMIT = 14;

// 8 neighbours of an operand.
struct Eight { u: vec4f, v: vec4f }

// The nearest values of 11 bits. By bits, since compilers take v - f32(f16(v)) for 0.
fn highOf(v: vec4f) -> vec4f { return bitcast<vec4f>((bitcast<vec4u>(v) + 0x1000u) & vec4u(0xffffe000u)); }

fn largestOf(x: Eight) -> f32 {
  let m = max(abs(x.u), abs(x.v));
  let n = max(m.xy, m.zw);
  return max(n.x, n.y);
}

fn finiteOf(v: vec4f) -> vec4f { return select(vec4f(), v, (bitcast<vec4u>(v) & vec4u(0x7f800000u)) < vec4u(0x7f800000u)); }

// The exponent of the power of two that brings `peak` to 2^to; to 2^126 at most.
fn exponentOf(peak: f32, to: i32) -> i32 { return min(to + 127 - i32(bitcast<u32>(peak) >> 23u), 126); }

// A largest value that its scale does not bring below the limit, 0 where it does, and where it is not finite.
fn beyond(peak: f32, exponent: i32) -> f32 {
  let e = i32(bitcast<u32>(peak) >> 23u);
  return select(0.0, peak, (e < 255) & (e - 127 + exponent > LIMIT));
}

fn powerOf(e: i32) -> f32 { return bitcast<f32>(u32(e + 127) << 23u); }

fn largestOfAll(v: vec2f, thread: u32) -> vec2f {
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

fn stageA(at: u32, x: Eight, scale: f32) {
  let u = x.u * scale;
  let v = x.v * scale;
  aTile[at] = vec4u(halves(highOf(u)), halves(highOf(v)));
  aLow[at] = vec4u(halves(u - highOf(u)), halves(v - highOf(v)));
}

fn stageB(at: u32, x: Eight, scale: f32) {
  let u = x.u * scale;
  let v = x.v * scale;
  bTile[at] = vec4u(halves(highOf(u)), halves(highOf(v)));
  bLow[at] = vec4u(halves(u - highOf(u)), halves(v - highOf(v)));
}
