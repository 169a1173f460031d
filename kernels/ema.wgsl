// thetaK = m thetaK + (1 - m) thetaQ, in place: the momentum update of the key encoder.
// A thread updates 4 elements 64 apart, so that neighbouring threads touch neighbouring words and any
// length is served; m is read from memory because it may change from step to step.
#import "index"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> thetaQ: array<f32>;       // [length]
@group(0) @binding(1) var<storage, read> m: array<f32>;            // [1]
@group(0) @binding(2) var<storage, read_write> thetaK: array<f32>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let start = groupOf(group, groups) * 256u + lane;
  let keep = m[0];
  #for i in 0..4
  if (start + $iu * 64u < p.length) {
    let at = start + $iu * 64u;
    thetaK[at] = keep * thetaK[at] + (1.0 - keep) * thetaQ[at];
  }
  #end
}
