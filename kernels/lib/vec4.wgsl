// What a kernel works on: four neighbouring words at a time; see "single".
alias V = vec4f;
alias U = vec4u;
const WIDTH = 4.0;

fn total(v: V) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn spread(v: V, i: u32) -> V { return V(v[i % 4u]); }
fn spreadWord(v: U, i: u32) -> U { return U(v[i % 4u]); }
