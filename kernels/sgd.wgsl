// SGD with momentum, in place, as PyTorch computes it:
//   g = dw + weightDecay w,  v = momentum v + g,  w = w - lr v   (Nesterov: w = w - lr (g + momentum v)).
// A thread takes EACH elements (lib/elements). All parameters are one dispatch with five words of traffic an element.
// With SCALED, dw is of a scaled loss: times the guard it is the gradient, and where the guard is 0 nothing changes.
override NESTEROV: u32 = 0u;
override SCALED: u32 = 0u;
#import "index"
#import "single"

struct Params { length: u32, momentum: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> dw: array<V>;      // [length]
@group(0) @binding(1) var<storage, read> lr: array<f32>;    // [1], changes from step to step
@group(0) @binding(2) var<storage, read> guard: array<f32>; // [1], from loss_scale; unread without SCALED
@group(0) @binding(3) var<storage, read_write> w: array<V>; // [length]
@group(0) @binding(4) var<storage, read_write> v: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  var d = dw[i];
  if (SCALED == 1u) {
    if (guard[0] == 0.0) { return; }
    d *= guard[0];
  }
  let g = d + p.weightDecay * w[i];
  let velocity = p.momentum * v[i] + g;
  v[i] = velocity;
  w[i] -= lr[0] * select(velocity, g + p.momentum * velocity, NESTEROV == 1u);
}
#import "elements"
