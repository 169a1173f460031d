// y = a where condition is not 0, else b, element by element.
// A thread takes EACH elements (lib/elements).
#import "index"
#import "single"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> condition: array<V>; // [length]
@group(0) @binding(1) var<storage, read> a: array<V>;         // [length]
@group(0) @binding(2) var<storage, read> b: array<V>;         // [length]
@group(0) @binding(3) var<storage, read_write> y: array<V>;   // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) { y[i] = select(b[i], a[i], (bitcast<U>(condition[i]) << U(1u)) != U()); }
#import "elements"
