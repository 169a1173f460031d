// y = f(x), element by element; gelu is the erf form.
// A thread takes EACH elements (lib/elements).
override OP: u32 = 0u; // 0 neg, 1 exp, 2 log, 3 sqrt, 4 relu, 5 gelu, 6 tanh, 7 sigmoid, 8 clamp
#import "index"
#import "single"
#import "special"
#import "erf"

struct Params { length: u32, lo: f32, hi: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;       // [length]
@group(0) @binding(1) var<storage, read_write> y: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  let v = x[i];
  switch OP {
    case 0u: { y[i] = -v; }
    case 1u: { y[i] = expOf(v); }
    case 2u: { y[i] = ln(v); }
    case 3u: { y[i] = sqrt(v); }
    case 4u: { y[i] = atLeastZero(v); }
    case 5u: { y[i] = 0.5 * v * (1.0 + erf(v * 0.70710678)); }
    case 6u: { y[i] = unlessNan(tanh(clamp(v, V(-10.0), V(10.0))), v); } // tanh may overflow for large arguments
    case 7u: { y[i] = 1.0 / (1.0 + expOf(-v)); }
    default: { y[i] = unlessNan(clamp(v, V(p.lo), V(p.hi)), v); }
  }
}
#import "elements"
