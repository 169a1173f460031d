// dx[r, c] = rstd (g - mean of g - x̂ · mean of g x̂), g = dy gamma[c], x̂ = (x - mean) rstd, means over a row's
// columns.
// LANES neighbouring threads compute one row, as in layer_norm.
const LANES = 32u; // @tune
#import "index"
#import "lanes"
#import "single"

struct Params { rows: u32, C: u32 }

@group(0) @binding(0) var<storage, read> x: array<V>;         // [rows, C]
@group(0) @binding(1) var<storage, read> dy: array<V>;        // [rows, C]
@group(0) @binding(2) var<storage, read> gamma: array<V>;     // [C]
@group(0) @binding(3) var<storage, read> stats: array<vec2f>; // [rows], mean and rstd
@group(0) @binding(4) var<storage, read_write> dx: array<V>;  // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups) * (64u / LANES) + lane / LANES;
  let start = min(row, p.rows - 1u) * p.C;
  let mean = stats[min(row, p.rows - 1u)].x;
  let rstd = stats[min(row, p.rows - 1u)].y;
  var sum = V();
  var sumX = V();
  for (var c = lane % LANES; c < p.C; c += LANES) {
    let g = dy[start + c] * gamma[c];
    sum += g;
    sumX += g * (x[start + c] - mean);
  }
  let means = sumLanes(vec2f(total(sum), total(sumX)), lane) / (f32(p.C) * WIDTH);
  let slope = means.y * rstd * rstd;
  if (row >= p.rows) { return; }
  for (var c = lane % LANES; c < p.C; c += LANES) {
    dx[start + c] = rstd * (dy[start + c] * gamma[c] - means.x - (x[start + c] - mean) * slope);
  }
}
