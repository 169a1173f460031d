// queue[(pointer + i) mod K] = keys[i] for i in first .. N-1. With GUARDED, nothing is written where the guard is 0.
// One thread copies one element of the keys. Of more than K keys only the last K survive: first = max(N - K, 0), so
// that no two threads meet in a row.
override GUARDED: u32 = 0u;
#import "index"

struct Params { N: u32, K: u32, D: u32, first: u32 }

@group(0) @binding(0) var<storage, read> keys: array<f32>;        // [N, D]
@group(0) @binding(1) var<storage, read> pointer: array<u32>;     // [1]
@group(0) @binding(2) var<storage, read> guard: array<f32>;       // [1], from loss_scale; unread without GUARDED
@group(0) @binding(3) var<storage, read_write> queue: array<f32>; // [K, D]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let at = p.first * p.D + groupOf(group, groups) * 64u + lane;
  if (at >= p.N * p.D) { return; }
  if (GUARDED == 1u) { if (guard[0] == 0.0) { return; } }
  let row = (pointer[0] % p.K + at / p.D) % p.K;
  queue[row * p.D + at % p.D] = keys[at];
}
