// into = source, or into += source: copies a gradient into the place kept for it, and adds later contributions.
override ADD: u32 = 1u;
#import "index"
#import "single"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> source: array<V>;      // [length]
@group(0) @binding(1) var<storage, read_write> into: array<V>;  // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  if (ADD == 1u) { into[i] += source[i]; } else { into[i] = source[i]; }
}
#import "elements"
