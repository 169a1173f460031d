// loss[r] = ln Σ exp(x[r, c] - m) + m - x[r, label[r]]. A label past the last class makes the loss NaN.
// One thread computes one row; m and the sum come from softmax_stats.
#import "index"
#import "scalar"
#import "special"
#import "nan"

struct Params { rows: u32, C: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [rows, C]
@group(0) @binding(1) var<storage, read> labels: array<u32>;     // [rows]
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;    // [rows], maximum and sum
@group(0) @binding(3) var<storage, read_write> loss: array<f32>; // [rows]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.rows) { return; }
  let label = labels[i];
  let value = (stats[i].x - x[i * p.C + min(label, p.C - 1u)]) + ln(stats[i].y);
  loss[i] = select(nanOf(label), value, label < p.C);
}
