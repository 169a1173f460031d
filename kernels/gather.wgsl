// y[m, w] = x[index[m], w].
// One thread copies one word of y (or four, where the width allows), as bits whatever its type. An index past the last
// row gives a row of set bits: NaN as f32 or f16, -1 as i32, and as u32 an index that lies past any row.
#import "index"
#import "single"

struct Params { rows: u32, width: u32, M: u32 }

@group(0) @binding(0) var<storage, read> x: array<U>;         // [rows, width]
@group(0) @binding(1) var<storage, read> index: array<u32>;   // [M]
@group(0) @binding(2) var<storage, read_write> y: array<U>;   // [M, width]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.M * p.width) { return; }
  let row = index[i / p.width];
  y[i] = select(bitcast<U>(Bits(row | 0xffffffffu)), x[min(row, p.rows - 1u) * p.width + i % p.width], row < p.rows);
}
