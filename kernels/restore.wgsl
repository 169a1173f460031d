// state = saved where the guard is 0: a skipped step gives back what it changed before it was known to be one.
// A thread takes EACH elements (lib/elements). All threads read one guard, so that a step that counts costs no traffic.
#import "index"
#import "single"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> saved: array<V>;        // [length]
@group(0) @binding(1) var<storage, read> guard: array<f32>;     // [1], from loss_scale
@group(0) @binding(2) var<storage, read_write> state: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  if (guard[0] == 0.0) { state[i] = saved[i]; }
}
#import "elements"
