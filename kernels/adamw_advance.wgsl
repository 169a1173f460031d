// corrections += (1 - beta) (1 - corrections), in place, which is 1 - beta^steps after every step, for both betas.
// One thread computes both. They stay on the device, so that a recorded step counts by itself; a power of a beta near 1
// would lose its digits.
override SCALED: u32 = 0u;

struct Params { rate1: f32, rate2: f32 } // 1 - beta

@group(0) @binding(0) var<storage, read> guard: array<f32>;             // [1], unread without SCALED
@group(0) @binding(1) var<storage, read_write> corrections: array<f32>; // [2]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  if (SCALED == 1u) {
    if (guard[0] == 0.0) { return; }
  }
  corrections[0] += p.rate1 * (1.0 - corrections[0]);
  corrections[1] += p.rate2 * (1.0 - corrections[1]);
}
