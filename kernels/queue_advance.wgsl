// pointer = (pointer + N) mod K: one thread. A dispatch of its own, so that every thread of queue_write
// has read the pointer before it moves.
struct Params { N: u32, K: u32 }

@group(0) @binding(0) var<storage, read_write> pointer: array<u32>; // [1]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  pointer[0] = (pointer[0] % p.K + p.N % p.K) % p.K;
}
