// thetaK = m thetaK + (1 - m) thetaQ, in place: the momentum update of the key encoder.
// A thread takes EACH elements (lib/elements). m is read from memory because it may change from step to step.
#import "index"
#import "single"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> thetaQ: array<V>;       // [length]
@group(0) @binding(1) var<storage, read> m: array<f32>;          // [1]
@group(0) @binding(2) var<storage, read_write> thetaK: array<V>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) { thetaK[i] = m[0] * thetaK[i] + (1.0 - m[0]) * thetaQ[i]; }
#import "elements"
