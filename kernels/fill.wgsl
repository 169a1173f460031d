// y = bits, everywhere: one thread a word. u8 tensors are filled four at a time.
#import "index"

struct Params { length: u32, bits: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<u32>; // [length] words
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i < p.length) { y[i] = p.bits; }
}
