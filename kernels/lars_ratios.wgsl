// The trust ratio of a tensor, trust ‖w‖ / ‖dp‖, from the sums of its chunks; 1 where a norm is 0 or the tensor is not
// adapted.
// LANES threads compute one tensor, one where workgroup memory is slow; the chunks are added in order.
const LANES = 64u; // @tune
#import "index"
#import "lanes"

struct Params { tensors: u32, trust: f32 }

@group(0) @binding(0) var<storage, read> chunks: array<vec4u>;     // [chunks], the last word: adapted?
@group(0) @binding(1) var<storage, read> ranges: array<vec2u>;     // [tensors], first chunk and number
@group(0) @binding(2) var<storage, read> norms: array<vec2f>;      // [chunks]
@group(0) @binding(3) var<storage, read_write> ratios: array<f32>; // [tensors]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let t = groupOf(group, groups) * (64u / LANES) + lane / LANES;
  let range = ranges[min(t, p.tensors - 1u)];
  var own = vec2f();
  for (var k = lane % LANES; k < range.y; k += LANES) { own += norms[range.x + k]; }
  let lengths = sqrt(sumLanes(own, lane));
  let adapted = (chunks[range.x].w == 1u) & (lengths.x > 0.0) & (lengths.y > 0.0);
  if ((t < p.tensors) & (lane % LANES == 0u)) { ratios[t] = select(1.0, p.trust * lengths.x / lengths.y, adapted); }
}
