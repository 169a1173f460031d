// dx = dy f'(x), element by element, from x or from y = f(x), whichever is cheaper.
// A thread takes EACH elements (lib/elements).
override OP: u32 = 1u; // 1 exp, 2 log, 3 sqrt, 4 relu, 5 gelu, 6 tanh, 7 sigmoid, 8 clamp
#import "index"
#import "single"
#import "special"
#import "erf"

struct Params { length: u32, lo: f32, hi: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;        // [length], y for exp, sqrt, relu, tanh, sigmoid
@group(0) @binding(1) var<storage, read> dy: array<V>;       // [length]
@group(0) @binding(2) var<storage, read_write> dx: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  let v = x[i];
  let d = dy[i];
  switch OP {
    case 1u: { dx[i] = d * v; }
    case 2u: { dx[i] = d / v; }
    case 3u: { dx[i] = 0.5 * d / v; }
    case 4u: { dx[i] = whereKept(d, v); }
    case 5u: { dx[i] = d * (0.5 * (1.0 + erf(v * 0.70710678)) + 0.39894228 * v * exp(-0.5 * v * v)); }
    case 6u: { dx[i] = d * (1.0 - v * v); }
    case 7u: { dx[i] = d * v * (1.0 - v); }
    default: { dx[i] = select(V(), d, (v >= V(p.lo)) & (v <= V(p.hi))); }
  }
}
#import "elements"
