// What the gradient's kernels on tensor cores ask of every head before them: of a row (lse / ln 2, Σ y dy), and of the
// head (2^n, 2^-n) with 2^n · 2 D max|dy| max|v| at most 2^15, so that halves of 2^n dS are as large as they may be.
// One workgroup a head; a thread takes 8 columns of a row.
#import "index"
#import "attention"
#import "attention_rows"
const D = 64u; // @tune: size of a head, divisible by 8
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_3 = 0u; // @tune
// [batch, Nk, (k, v), H, D], rows kvRow apart, k from kStart
#if F16_0
@group(0) @binding(0) var<storage, read> kv: array<vec4u>;
#else
@group(0) @binding(0) var<storage, read> kv: array<vec4f>;
#endif
#if F16_1
@group(0) @binding(1) var<storage, read> y: array<vec4u>;        // [batch, Nq, H, D]
#else
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
#endif
@group(0) @binding(2) var<storage, read> lse: array<f32>;        // [batch, Nq, H]
#if F16_3
@group(0) @binding(3) var<storage, read> dy: array<vec4u>;       // [batch, Nq, H, D]
#else
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
#endif
@group(0) @binding(4) var<storage, read_write> rows: array<vec2f>;   // [batch, H, Nq], lse / ln 2 and Σ y dy
@group(0) @binding(5) var<storage, read_write> powers: array<vec2f>; // [batch, H], 2^n and 2^-n
@group(1) @binding(0) var<uniform> p: Params;

const ROWS = 1u;
const WORD = 1u;
const THREADS = 256u;
const CHUNKS = D / 8u;
const AT_ONCE = THREADS / CHUNKS; // rows
struct Eight { u: vec4f, v: vec4f }
var<workgroup> parts: array<f32, THREADS>;

fn two(w: u32) -> vec2f { return unpack2x16float(w); }
fn floats(w: vec4u) -> Eight { return Eight(vec4f(two(w.x), two(w.y)), vec4f(two(w.z), two(w.w))); }
// |v|, 0 where it is infinite or NaN: the other rows keep their digits.
fn finite(v: vec4f) -> vec4f { return select(vec4f(), abs(v), bitcast<vec4u>(abs(v)) < vec4u(0x7f800000u)); }

fn largest(e: Eight) -> f32 {
  let m = max(finite(e.u), finite(e.v));
  return max(max(m.x, m.y), max(m.z, m.w));
}

fn loadV(at: u32) -> Eight {
  #if F16_0
  return floats(kv[at / 8u]);
  #else
  return Eight(kv[at / 4u], kv[at / 4u + 1u]);
  #endif
}

fn loadY(at: u32) -> Eight {
  #if F16_1
  return floats(y[at / 8u]);
  #else
  return Eight(y[at / 4u], y[at / 4u + 1u]);
  #endif
}

fn loadDy(at: u32) -> Eight {
  #if F16_3
  return floats(dy[at / 8u]);
  #else
  return Eight(dy[at / 4u], dy[at / 4u + 1u]);
  #endif
}

// The largest of all threads' values.
fn most(v: f32, thread: u32) -> f32 {
  workgroupBarrier();
  parts[thread] = v;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { parts[thread] = max(parts[thread], parts[thread + half]); }
  }
  workgroupBarrier();
  return parts[0];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let g = min(groupOf(group, groups), p.batch * p.H - 1u);
  let b = Block(g / p.H, g % p.H, 0u, 0u);
  let row = thread / CHUNKS;
  let column = thread % CHUNKS * 8u;
  let works = row < AT_ONCE;
  var v = 0.0;
  for (var i = row; i < select(0u, p.Nk, works); i += AT_ONCE) {
    v = max(v, largest(loadV(keyAt(b, i) + p.H * D + column)));
  }
  var d = 0.0;
  for (var start = 0u; start < p.Nq; start += AT_ONCE) {
    let i = start + row;
    let at = resultAt(b, i);
    let a = loadY(at + column);
    let b = loadDy(at + column);
    d = max(d, largest(b));
    workgroupBarrier();
    parts[thread] = dot(a.u, b.u) + dot(a.v, b.v);
    workgroupBarrier();
    if (works & (column == 0u) & (i < p.Nq)) {
      var sum = 0.0;
      for (var c = 0u; c < CHUNKS; c++) { sum += parts[thread + c]; }
      rows[g * p.Nq + i] = vec2f(lse[at / D] * 1.4426950408889634, sum);
    }
  }
  let bound = 2.0 * f32(D) * most(v, thread) * most(d, thread);
  // n = 14 - ⌊log2 bound⌋, between -100 and 100
  let e = clamp(141 - i32((bitcast<u32>(bound) >> 23u) & 255u), -100, 100);
  if (thread == 0u) { powers[g] = vec2f(bitcast<f32>(u32(127 + e) << 23u), bitcast<f32>(u32(127 - e) << 23u)); }
}
