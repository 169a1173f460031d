// pointer = (pointer + N) mod K. With GUARDED, it stays where the guard is 0.
// One thread computes it, in a dispatch of its own, so that every thread of queue_write has read the pointer before it
// moves.
override GUARDED: u32 = 0u;

struct Params { N: u32, K: u32 }

@group(0) @binding(0) var<storage, read> guard: array<f32>;         // [1], from loss_scale; unread without GUARDED
@group(0) @binding(1) var<storage, read_write> pointer: array<u32>; // [1]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  if (GUARDED == 1u) { if (guard[0] == 0.0) { return; } }
  pointer[0] = (pointer[0] % p.K + p.N % p.K) % p.K;
}
