// The guard of a step, and the scale of the next. If a value of `found` is not 0, the guard is 0 and the scale is
// backed off; else the guard is 1 / scale, and after `interval` such steps in a row the scale grows.
// One workgroup computes it: each thread looks at a part of `found`.

struct Params { threads: u32, interval: f32, growth: f32, backoff: f32, least: f32, most: f32 }

@group(0) @binding(0) var<storage, read> found: array<u32>;       // [threads], from loss_scale_found
// [4]: scale, good steps since it changed, steps skipped, in a row
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> guard: array<f32>; // [1]
@group(1) @binding(0) var<uniform> p: Params;

var<workgroup> owns: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var own = 0u;
  for (var t = lane; t < p.threads; t += 64u) { own = max(own, found[t]); }
  owns[lane] = own;
  workgroupBarrier();
  if (lane > 0u) { return; }
  for (var t = 0u; t < 64u; t++) { own = max(own, owns[t]); }
  let scale = state[0];
  if (own > 0u) {
    guard[0] = 0.0;
    state[0] = max(scale * p.backoff, p.least);
    state[1] = 0.0;
    state[2] += 1.0;
    state[3] += 1.0;
    return;
  }
  let good = state[1] + 1.0;
  guard[0] = 1.0 / scale;
  state[0] = select(scale, min(scale * p.growth, p.most), good >= p.interval);
  state[1] = select(good, 0.0, good >= p.interval);
  state[3] = 0.0;
}
