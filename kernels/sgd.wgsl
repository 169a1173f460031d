// SGD with momentum, in place, as PyTorch computes it:
//   g = dw + weightDecay w,  v = momentum v + g,  w = w - lr v   (Nesterov: w = w - lr (g + momentum v)).
// A thread updates 4 elements 64 apart, so that neighbouring threads touch neighbouring words and any
// length is served: five words of traffic an element, all parameters in one dispatch.
override NESTEROV: u32 = 0u;
#import "index"

struct Params { length: u32, momentum: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> dw: array<f32>;      // [length]
@group(0) @binding(1) var<storage, read> lr: array<f32>;      // [1], changes from step to step
@group(0) @binding(2) var<storage, read_write> w: array<f32>; // [length]
@group(0) @binding(3) var<storage, read_write> v: array<f32>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = groupOf(group, groups) * 256u + lane;
  let rate = lr[0];
  #for i in 0..4
  if (start + $iu * 64u < p.length) {
    let at = start + $iu * 64u;
    let g = dw[at] + p.weightDecay * w[at];
    let velocity = p.momentum * v[at] + g;
    v[at] = velocity;
    w[at] -= rate * select(velocity, g + p.momentum * velocity, NESTEROV == 1u);
  }
  #end
}
