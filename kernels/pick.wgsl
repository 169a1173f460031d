// y[n] = x[n, column[n]]. A column past the last gives NaN.
// One thread computes one row.
#import "index"
#import "nan"

struct Params { rows: u32, C: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [rows, C]
@group(0) @binding(1) var<storage, read> column: array<u32>;  // [rows]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups) * 64u + lane;
  if (row >= p.rows) { return; }
  let c = column[row];
  y[row] = select(nanOf(c), x[row * p.C + min(c, p.C - 1u)], c < p.C);
}
