// SGD with momentum, in place, as PyTorch computes it:
//   g = dw + weightDecay w,  v = momentum v + g,  w = w - lr v   (Nesterov: w = w - lr (g + momentum v)).
// Five words of traffic an element, all parameters in one dispatch.
override NESTEROV: u32 = 0u;
#import "index"
#import "single"

struct Params { length: u32, momentum: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> dw: array<V>;      // [length]
@group(0) @binding(1) var<storage, read> lr: array<f32>;    // [1], changes from step to step
@group(0) @binding(2) var<storage, read_write> w: array<V>; // [length]
@group(0) @binding(3) var<storage, read_write> v: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  let g = dw[i] + p.weightDecay * w[i];
  let velocity = p.momentum * v[i] + g;
  v[i] = velocity;
  w[i] -= lr[0] * select(velocity, g + p.momentum * velocity, NESTEROV == 1u);
}
#import "elements"
