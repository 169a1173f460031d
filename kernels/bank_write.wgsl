// bank[index[n]] = rows[n]. An index past the last row writes nothing.
// One thread copies one element of the rows. Of rows with one index, one is written in no given order, so indices must
// differ. With GUARDED, nothing is written where the guard is 0.
override GUARDED: u32 = 0u;
#import "index"

struct Params { N: u32, M: u32, D: u32 }

@group(0) @binding(0) var<storage, read> rows: array<f32>;       // [N, D]
@group(0) @binding(1) var<storage, read> index: array<u32>;      // [N]
@group(0) @binding(2) var<storage, read> guard: array<f32>;      // [1], from loss_scale; unread without GUARDED
@group(0) @binding(3) var<storage, read_write> bank: array<f32>; // [M, D]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let at = groupOf(group, groups) * 64u + lane;
  if (at >= p.N * p.D) { return; }
  if (GUARDED == 1u) { if (guard[0] == 0.0) { return; } }
  let row = index[at / p.D];
  if (row < p.M) { bank[row * p.D + at % p.D] = rows[at]; }
}
