// y = f(x, c) or, with FIRST, f(c, x), element by element.
// A thread takes EACH elements (lib/elements). The number comes with the dispatch, so that it takes no memory and no
// fill.
override FIRST: u32 = 0u; // 1 where the number is the first operand
#import "index"
#import "single"
#import "special"
#import "combine"

struct Params { length: u32, c: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;       // [length]
@group(0) @binding(1) var<storage, read_write> y: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  let v = x[i];
  if (FIRST == 1u) { y[i] = combine(V(p.c), v); } else { y[i] = combine(v, V(p.c)); }
}
#import "elements"
