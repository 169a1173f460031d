// dx[r, c] = (dy[r, c] - y[r, c] · dots[r]) / norm, dots[r] = Σ y dy of the row, from row_dot.
// Where the norm was below eps, x was divided by a constant: dx = dy / eps.
// One thread takes one slot of a row's columns (lib/row_slots).
#import "index"
#import "scalar"
#import "special"

struct Params { rows: u32, C: u32, slots: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> y: array<f32>;        // [rows, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [rows, C]
@group(0) @binding(2) var<storage, read> squares: array<f32>;  // [rows]
@group(0) @binding(3) var<storage, read> dots: array<f32>;     // [rows]
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let norm = sqrt(squares[row]);
  let along = select(0.0, dots[row], norm > p.eps);
  let inverse = 1.0 / unlessNan(max(norm, p.eps), norm);
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    let at = row * p.C + c;
    dx[at] = (dy[at] - y[at] * along) * inverse;
  }
}
