// The Params and `main` of a kernel over a box of which two operands each hold or repeat every value. The kernel writes
// element(i, at0, at1), i in row-major order, the operands' places beside it. A thread takes up to `each` elements of a
// row, `lanes` apart, so that it finds places by division once and by steps after that. Counts and places are in V, but
// single values where an operand's last axis is stretched. After "index".
struct Params {
  rows: u32, C: u32, rank: u32, lanes: u32, each: u32, pieces: u32, start0: u32, start1: u32, step0: u32, step1: u32,
  shape: array<vec4u, 2>, strides0: array<vec4u, 2>, strides1: array<vec4u, 2>, // of the axes before the last
}
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let thread = groupOf(group, groups) * 64u + lane;
  let piece = thread / p.lanes;
  let row = piece / p.pieces;
  if (row >= p.rows) { return; }
  var rest = row;
  var at0 = p.start0;
  var at1 = p.start1;
  for (var i = p.rank; i > 0u; i--) {
    let axis = i - 1u;
    let size = p.shape[axis / 4u][axis % 4u];
    let place = rest % size;
    at0 += place * p.strides0[axis / 4u][axis % 4u];
    at1 += place * p.strides1[axis / 4u][axis % 4u];
    rest /= size;
  }
  let first = piece % p.pieces * p.lanes * p.each;
  let end = min(first + p.lanes * p.each, p.C);
  for (var c = first + thread % p.lanes; c < end; c += p.lanes) {
    element(row * p.C + c, at0 + c * p.step0, at1 + c * p.step1);
  }
}
