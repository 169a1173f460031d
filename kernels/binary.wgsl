// y = f(a, b), element by element, with NumPy broadcasting: one thread an element of y.
// Equal shapes and scalars index directly; anything else walks the coordinates of y.
override OP: u32 = 0u;      // 0 add, 1 sub, 2 mul, 3 div, 4 greater, 5 maximum
override A_MODE: u32 = 0u;  // 0 like y, 1 a scalar, 2 strided
override B_MODE: u32 = 0u;
#import "index"

struct Params { length: u32, rank: u32, shape: array<vec4u, 2>, aStrides: array<vec4u, 2>, bStrides: array<vec4u, 2> }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [length]
@group(1) @binding(0) var<uniform> p: Params;

fn place(i: u32, mode: u32, strides: array<vec4u, 2>) -> u32 {
  if (mode == 0u) { return i; }
  if (mode == 1u) { return 0u; }
  return stridedOffset(i, p.rank, p.shape, strides);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.length) { return; }
  let u = a[place(i, A_MODE, p.aStrides)];
  let v = b[place(i, B_MODE, p.bStrides)];
  switch OP {
    case 0u: { y[i] = u + v; }
    case 1u: { y[i] = u - v; }
    case 2u: { y[i] = u * v; }
    case 3u: { y[i] = u / v; }
    case 4u: { y[i] = select(0.0, 1.0, u > v); }
    default: { y[i] = max(u, v); }
  }
}
