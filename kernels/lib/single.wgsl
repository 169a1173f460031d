// What a kernel works on: single words, or with "vec4" in place of this file four at a time.
alias V = f32;
alias U = u32;
alias B = bool;
alias Bits = u32; // of U's width, and bits where f16 storage makes floats of U
const WIDTH = 1.0;

fn total(v: V) -> f32 { return v; }
fn largestIn(v: V) -> f32 { return v; }

// Element `i` of an array, given the V (or U) at i / WIDTH, in every lane.
fn spreadWord(v: U, i: u32) -> U { return v; }
fn spread(v: V, i: u32) -> V { return v; }
