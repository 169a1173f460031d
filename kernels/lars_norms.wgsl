// Σ w² and Σ dp², dp = dw + weightDecay w, over a chunk of a tensor.
// LANES threads sum one chunk, one where workgroup memory is slow. Chunks of tensors that are not adapted have no use
// for it and are left out. Threads take four elements at a time: a tensor is followed by zeros up to the next one's
// start.
override SCALED: u32 = 0u;
const LANES = 64u; // @tune
#import "index"
#import "lanes"
#import "vec4"

struct Params { chunks: u32, weightDecay: f32 }

// [chunks], start and length in vec4s, tensor, adapted?
@group(0) @binding(0) var<storage, read> chunks: array<vec4u>;
@group(0) @binding(1) var<storage, read> w: array<V>;               // [length]
@group(0) @binding(2) var<storage, read> dw: array<V>;              // [length]
@group(0) @binding(3) var<storage, read> guard: array<f32>;         // [1], from loss_scale; unread without SCALED
@group(0) @binding(4) var<storage, read_write> norms: array<vec2f>; // [chunks]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let k = groupOf(group, groups) * (64u / LANES) + lane / LANES;
  let chunk = chunks[min(k, p.chunks - 1u)];
  var ofW = V();
  var ofD = V();
  for (var i = lane % LANES; i < chunk.y * chunk.w; i += LANES) {
    let value = w[chunk.x + i];
    var g = dw[chunk.x + i];
    if (SCALED == 1u) { g *= guard[0]; }
    let d = g + p.weightDecay * value;
    ofW += value * value;
    ofD += d * d;
  }
  let sums = sumLanes(vec2f(total(ofW), total(ofD)), lane);
  if ((k < p.chunks) & (lane % LANES == 0u)) { norms[k] = sums; }
}
