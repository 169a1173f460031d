// dx[r, w] = Σ dy[m, w] over the m with index[m] = r, in order.
// One thread computes one dx and looks through the whole index. A scatter would need atomics, whose order changes the
// sum; lists are short (a batch), and neighbouring threads look at the same entry of it.
#import "index"

struct Params { rows: u32, width: u32, M: u32 }

@group(0) @binding(0) var<storage, read> dy: array<f32>;       // [M, width]
@group(0) @binding(1) var<storage, read> index: array<u32>;    // [M]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [rows, width]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.rows * p.width) { return; }
  let r = i / p.width;
  var total = 0.0;
  for (var m = 0u; m < p.M; m++) {
    if (index[m] == r) { total += dy[m * p.width + i % p.width]; }
  }
  dx[i] = total;
}
