// y[yStart + i·yStrides] = x[xStart + i·xStrides] for every i of a box: one thread an element.
// Transpose, slice, broadcast and concatenate are all this copy. Words are moved as bits, whatever their type.
#import "index"

struct Params { length: u32, rank: u32, xStart: u32, yStart: u32, shape: array<vec4u, 2>, xStrides: array<vec4u, 2>, yStrides: array<vec4u, 2> }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.length) { return; }
  y[p.yStart + stridedOffset(i, p.rank, p.shape, p.yStrides)] = x[p.xStart + stridedOffset(i, p.rank, p.shape, p.xStrides)];
}
