// AdamW (Loshchilov and Hutter 2019), in place:
//   m += (1 - beta1) (dw - m),  v += (1 - beta2) (dw² - v),
//   w -= lr (weightDecay w + (m / corrections[0]) / (√(v / corrections[1]) + eps)).
// A thread takes EACH elements (lib/elements). All parameters are one dispatch with seven words of traffic an element.
// The corrections come from adamw_advance.
// With SCALED, dw is of a scaled loss: times the guard it is the gradient, and where the guard is 0 nothing changes.
override SCALED: u32 = 0u;
#import "index"
#import "single"

struct Params { length: u32, rate1: f32, rate2: f32, eps: f32, weightDecay: f32 } // rates are 1 - beta

@group(0) @binding(0) var<storage, read> dw: array<V>;            // [length]
@group(0) @binding(1) var<storage, read> lr: array<f32>;          // [1], changes from step to step
@group(0) @binding(2) var<storage, read> guard: array<f32>;       // [1], from loss_scale; unread without SCALED
@group(0) @binding(3) var<storage, read> corrections: array<f32>; // [2], 1 - beta^steps
@group(0) @binding(4) var<storage, read_write> w: array<V>;       // [length]
@group(0) @binding(5) var<storage, read_write> m: array<V>;       // [length], mean of the gradient
@group(0) @binding(6) var<storage, read_write> v: array<V>;       // [length], mean of its square
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  var g = dw[i];
  if (SCALED == 1u) {
    if (guard[0] == 0.0) { return; }
    g *= guard[0];
  }
  let mean = m[i] + p.rate1 * (g - m[i]);
  let square = v[i] + p.rate2 * (g * g - v[i]);
  m[i] = mean;
  v[i] = square;
  w[i] -= lr[0] * (p.weightDecay * w[i] + mean / corrections[0] / (sqrt(square / corrections[1]) + p.eps));
}
#import "elements"
