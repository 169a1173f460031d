// found[t] = 1 if one of the values i = t, t + threads, … of dw or of statistics is infinite or NaN, else 0.
// One thread computes one place of found; neighbouring threads read neighbouring memory. The test is of the bits (an
// exponent of ones): compilers may assume that floats are neither, and drop tests of floats.
#import "index"
#import "single"

struct Params { length: u32, statistics: u32, threads: u32 }

const ONES = 0x7f800000u;

@group(0) @binding(0) var<storage, read> dw: array<U>;            // [p.length] bits of f32
@group(0) @binding(1) var<storage, read> statistics: array<U>;    // [p.statistics], the same
@group(0) @binding(2) var<storage, read_write> found: array<u32>; // [threads]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let t = groupOf(group, groups) * 64u + lane;
  if (t >= p.threads) { return; }
  var largest = U();
  for (var i = t; i < p.length; i += p.threads) { largest = max(largest, dw[i] & U(ONES)); }
  for (var i = t; i < p.statistics; i += p.threads) { largest = max(largest, statistics[i] & U(ONES)); }
  found[t] = select(0u, 1u, any(largest == U(ONES)));
}
