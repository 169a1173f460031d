// LARS as MoCo v3 has it, in place:
//   dp = ratio (dw + weightDecay w), without either where the tensor is not adapted;  v = momentum v + dp,  w -= lr v.
// A workgroup takes a chunk of a tensor; the ratios come from lars_ratios. Threads take four elements at a time: a
// tensor is followed by zeros up to the next one's start.
override SCALED: u32 = 0u;
#import "index"
#import "vec4"

struct Params { chunks: u32, momentum: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> chunks: array<vec4u>; // [chunks], start and length in vec4s, tensor, adapted?
@group(0) @binding(1) var<storage, read> ratios: array<f32>;   // [tensors], 1 where not adapted
@group(0) @binding(2) var<storage, read> dw: array<V>;         // [length]
@group(0) @binding(3) var<storage, read> lr: array<f32>;       // [1], changes from step to step
@group(0) @binding(4) var<storage, read> guard: array<f32>;    // [1], from loss_scale; unread without SCALED
@group(0) @binding(5) var<storage, read_write> w: array<V>;    // [length]
@group(0) @binding(6) var<storage, read_write> v: array<V>;    // [length]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let k = groupOf(group, groups);
  if (k >= p.chunks) { return; }
  if (SCALED == 1u) {
    if (guard[0] == 0.0) { return; }
  }
  let chunk = chunks[k];
  let ratio = ratios[chunk.z];
  let decay = p.weightDecay * f32(chunk.w);
  let rate = lr[0];
  for (var i = chunk.x + lane; i < chunk.x + chunk.y; i += 64u) {
    var d = dw[i];
    if (SCALED == 1u) { d *= guard[0]; }
    let velocity = p.momentum * v[i] + ratio * (d + decay * w[i]);
    v[i] = velocity;
    w[i] -= rate * velocity;
  }
}
