// found[t] = 1 if one of the values i = t, t + threads, … of dw or of statistics is infinite or no number, else 0: one
// thread a
// place of found, neighbouring threads on neighbouring memory. The bits tell (an exponent of ones): compilers may take
// it for
// granted that floats are neither, and tests of floats away with it.
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
