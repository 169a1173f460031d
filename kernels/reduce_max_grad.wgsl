// dx[a, r, b] = dy[a, b] where r is the place of the first maximum, else 0.
// One thread computes one dx.
#import "index"

struct Params { A: u32, R: u32, B: u32 }

@group(0) @binding(0) var<storage, read> place: array<u32>;    // [A, B], from argmax
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [A, B]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [A, R, B]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.A * p.R * p.B) { return; }
  let out = (i / (p.R * p.B)) * p.B + i % p.B;
  dx[i] = select(0.0, dy[out], place[out] == (i / p.B) % p.R);
}
