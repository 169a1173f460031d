// into = source, or with ADD into += source.
// A thread takes EACH elements (lib/elements). The same kernel copies the first gradient into its place and adds later
// ones.
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
