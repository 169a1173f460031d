// Σ dz and Σ dz x̂ of every split from its chunks, and dbeta and dgamma, their sums over splits.
// One thread computes all splits of one channel, so that they are added in order; few chunks are left by now.
#import "index"

struct Params { C: u32, splits: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> chunkSums: array<f32>;    // [splits, chunks, C], Σ dz
@group(0) @binding(1) var<storage, read> chunkSumsX: array<f32>;   // [splits, chunks, C], Σ dz x̂
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;   // [splits, 2, C], Σ dz and Σ dz x̂
@group(0) @binding(3) var<storage, read_write> dgamma: array<f32>; // [C]
@group(0) @binding(4) var<storage, read_write> dbeta: array<f32>;  // [C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let c = groupOf(group, groups) * 64u + lane;
  if (c >= p.C) { return; }
  var total = 0.0;
  var totalX = 0.0;
  for (var s = 0u; s < p.splits; s++) {
    var sum = 0.0;
    var sumX = 0.0;
    for (var k = 0u; k < p.chunks; k++) {
      sum += chunkSums[(s * p.chunks + k) * p.C + c];
      sumX += chunkSumsX[(s * p.chunks + k) * p.C + c];
    }
    sums[2u * s * p.C + c] = sum;
    sums[(2u * s + 1u) * p.C + c] = sumX;
    total += sum;
    totalX += sumX;
  }
  dbeta[c] = total;
  dgamma[c] = totalX;
}
