// y[r, c] = exp(x[r, c] - m) / Σ exp(x - m), or with LOG x[r, c] - m - ln Σ exp(x - m).
// One thread takes one slot of a row's columns (lib/row_slots) and computes once what is the same along the row. m and
// the sum of the row come from softmax_stats, as two numbers: their ln together would lose the digits of small
// differences between large logits.
override LOG: u32 = 0u;
#import "index"
#import "scalar"
#import "special"

struct Params { rows: u32, C: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [rows, C]
@group(0) @binding(1) var<storage, read> stats: array<vec2f>; // [rows], maximum and sum
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let most = stats[row].x;
  let term = select(1.0 / stats[row].y, ln(stats[row].y), LOG == 1u);
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    let at = row * p.C + c;
    let d = x[at] - most;
    if (LOG == 1u) { y[at] = d - term; } else { y[at] = expOf(d) * term; }
  }
}
