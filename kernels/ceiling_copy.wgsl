// y = x, to measure how many bytes a second an adapter moves at most.
// One thread copies EACH vectors. With NEXT = 1 they are neighbours; else they lie that far apart, and those of a
// workgroup are neighbours.
override EACH = 1u;
override NEXT = 1u;
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // [256 groups EACH]
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>; // like x

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let start = select(id.x, id.x * EACH, NEXT == 1u);
  for (var i = 0u; i < EACH; i++) { y[start + i * NEXT] = x[start + i * NEXT]; }
}
