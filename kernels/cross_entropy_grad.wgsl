// dx[r, c] = dloss[r] (exp(x[r, c] - m) / Σ exp(x - m) - [c = label[r]]). A label past the last class makes its row
// NaN.
// One thread takes one slot of a row's columns (lib/row_slots) and reads m and the sum of the row, the forward pass's,
// once.
#import "index"
#import "scalar"
#import "special"
#import "nan"

struct Params { rows: u32, C: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [rows, C]
@group(0) @binding(1) var<storage, read> labels: array<u32>;   // [rows]
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;  // [rows], maximum and sum
@group(0) @binding(3) var<storage, read> dloss: array<f32>;    // [rows]
@group(0) @binding(4) var<storage, read_write> dx: array<f32>; // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let label = labels[row];
  let most = stats[row].x;
  let scale = 1.0 / stats[row].y;
  let d = select(nanOf(label), dloss[row], label < p.C);
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    let at = row * p.C + c;
    dx[at] = d * (expOf(x[at] - most) * scale - select(0.0, 1.0, c == label));
  }
}
