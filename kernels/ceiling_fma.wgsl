// y[t] = Σ_c a_c, where a_c starts as x[t mod 64 + c] and EACH times becomes a_c m + m, m = x[0], to measure how many
// multiplications and additions a second an adapter does at most.
// One thread has twelve independent chains of vectors, which keep every lane of the adder busy.
override EACH = 1u;
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // [76]
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>; // [64 groups]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = x[0];
  #for c in 0..12
  var a$c = x[id.x % 64u + $cu];
  #end
  for (var i = 0u; i < EACH; i++) {
    #for c in 0..12
    a$c = fma(a$c, m, m);
    #end
  }
  var total = vec4f();
  #for c in 0..12
  total += a$c;
  #end
  y[id.x] = total;
}
