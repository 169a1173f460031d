// What batch_norm_sums_end_grad computes, for graphics cards, where chunks are many: 32 threads share a channel
// (lib/tail_lanes).
#import "index"
#import "tail_lanes"

struct Params { C: u32, splits: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> chunkSums: array<f32>;    // [splits, chunks, C], Σ dz
@group(0) @binding(1) var<storage, read> chunkSumsX: array<f32>;   // [splits, chunks, C], Σ dz x̂
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;   // [splits, 2, C], Σ dz and Σ dz x̂
@group(0) @binding(3) var<storage, read_write> dgamma: array<f32>; // [C]
@group(0) @binding(4) var<storage, read_write> dbeta: array<f32>;  // [C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let channel = groupOf(group, groups) * 8u + lane % 8u;
  let c = min(channel, p.C - 1u);
  let isMine = (channel < p.C) & (lane < 8u);
  var total = vec2f();
  for (var s = 0u; s < p.splits; s++) {
    let start = s * p.chunks * p.C + c;
    var own = vec2f();
    var k = lane / 8u;
    for (; k + 96u < p.chunks; k += 128u) {
      #for i in 0..4
      let at$i = start + (k + $iu * 32u) * p.C;
      let both$i = vec2f(chunkSums[at$i], chunkSumsX[at$i]);
      #end
      own += (both0 + both1) + (both2 + both3);
    }
    for (; k < p.chunks; k += 32u) { own += vec2f(chunkSums[start + k * p.C], chunkSumsX[start + k * p.C]); }
    let both = sumTail(own, lane);
    if (isMine) {
      sums[2u * s * p.C + c] = both.x;
      sums[(2u * s + 1u) * p.C + c] = both.y;
    }
    total += both;
  }
  if (isMine) {
    dbeta[c] = total.x;
    dgamma[c] = total.y;
  }
}
