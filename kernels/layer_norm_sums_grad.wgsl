// Σ dy and Σ dy x̂ over a chunk of rows, x̂ = (x - mean) rstd. A reduction adds the chunks in order: dbeta and dgamma.
// One thread sums one column of one chunk, so that neighbouring threads read neighbouring columns.
#import "index"
#import "single"

struct Params { rows: u32, C: u32, chunk: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> x: array<V>;           // [rows, C]
@group(0) @binding(1) var<storage, read> dy: array<V>;          // [rows, C]
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;   // [rows], mean and rstd
@group(0) @binding(3) var<storage, read_write> sums: array<V>;  // [chunks, C], Σ dy
@group(0) @binding(4) var<storage, read_write> sumsX: array<V>; // [chunks, C], Σ dy x̂
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.chunks * p.C) { return; }
  let first = i / p.C * p.chunk;
  var sum = V();
  var sumX = V();
  for (var r = first; r < min(first + p.chunk, p.rows); r++) {
    let d = dy[r * p.C + i % p.C];
    sum += d;
    sumX += d * ((x[r * p.C + i % p.C] - stats[r].x) * stats[r].y);
  }
  sums[i] = sum;
  sumsX[i] = sumX;
}
