// y[r, c] = (x[r, c] - mean) · rstd · gamma[c] + beta[c], rstd = 1 / √(var + eps), over the columns of a row.
// LANES neighbouring threads compute one row, which they read in runs; one where workgroup memory is slow. The mean is
// a distance from a value of the row, so that a row far from 0 keeps its digits; the variance is a sweep of its own
// over a row that is in cache by then.
const LANES = 32u; // @tune
#import "index"
#import "lanes"
#import "single"

struct Params { rows: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<V>;               // [rows, C]
@group(0) @binding(1) var<storage, read> gamma: array<V>;           // [C]
@group(0) @binding(2) var<storage, read> beta: array<V>;            // [C]
@group(0) @binding(3) var<storage, read_write> y: array<V>;         // [rows, C]
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>; // [rows], mean and rstd
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups) * (64u / LANES) + lane / LANES;
  let start = min(row, p.rows - 1u) * p.C;
  let columns = f32(p.C) * WIDTH;
  let pivot = total(x[start]) / WIDTH;
  var sum = V();
  for (var c = lane % LANES; c < p.C; c += LANES) { sum += x[start + c] - pivot; }
  let mean = pivot + sumLanes(vec2f(total(sum)), lane).x / columns;
  var squares = V();
  for (var c = lane % LANES; c < p.C; c += LANES) {
    let d = x[start + c] - mean;
    squares += d * d;
  }
  let rstd = inverseSqrt(sumLanes(vec2f(total(squares)), lane).x / columns + p.eps);
  if (row >= p.rows) { return; }
  for (var c = lane % LANES; c < p.C; c += LANES) { y[start + c] = (x[start + c] - mean) * rstd * gamma[c] + beta[c]; }
  if (lane % LANES == 0u) { stats[row] = vec2f(mean, rstd); }
}
