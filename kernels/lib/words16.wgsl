// What a thread of a graphics card reads or writes at once, 16 bytes: 4 floats, or with HALVES 8 halves; as PARTS vec4f
// of neighbouring columns. A kernel's constants F16_… name its bindings that are such words.
const HALVES = 0u; // @tune
const PARTS = 1u; // @tune: HALVES + 1
#if HALVES
alias Words = vec4u;

fn part(w: Words, k: u32) -> vec4f { return vec4f(bitcast<vec4<f16>>(select(w.xy, w.zw, k == 1u))); }
fn words(a: vec4f, b: vec4f) -> Words { return vec4u(bitcast<vec2u>(vec4<f16>(a)), bitcast<vec2u>(vec4<f16>(b))); }
#else
alias Words = vec4f;

fn part(w: Words, k: u32) -> vec4f { return w; }
#endif
