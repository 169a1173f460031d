// dx = y (dy - Σ y dy) for softmax, dx = dy - exp(y) Σ dy with LOG, where Σ over the row comes from row_dot.
// One thread takes one slot of a row's columns (lib/row_slots).
override LOG: u32 = 0u;
#import "index"
#import "scalar"
#import "special"

struct Params { rows: u32, C: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> y: array<f32>;        // [rows, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [rows, C]
@group(0) @binding(2) var<storage, read> sums: array<f32>;     // [rows], Σ y dy, or Σ dy with LOG
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let sum = sums[row];
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    let at = row * p.C + c;
    if (LOG == 1u) { dx[at] = dy[at] - expOf(y[at]) * sum; } else { dx[at] = y[at] * (dy[at] - sum); }
  }
}
