// y[r, c] = x[r, c] / max(√squares[r], eps), squares[r] = Σ x[r, c]² from row_dot.
// One thread takes one slot of a row's columns (lib/row_slots) and computes once what is the same along the row. The
// sum and the quotient are passes of their own, so that both keep every lane busy.
#import "index"
#import "scalar"
#import "special"

struct Params { rows: u32, C: u32, slots: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [rows, C]
@group(0) @binding(1) var<storage, read> squares: array<f32>; // [rows]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let norm = sqrt(squares[row]);
  let inverse = 1.0 / unlessNan(max(norm, p.eps), norm);
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    let at = row * p.C + c;
    y[at] = x[at] * inverse;
  }
}
