// dw as conv2d_dw computes it, for adapters with real workgroup memory.
// A workgroup computes TILE output channels by TILE places of the axis k = (r, s, c), as taps and channels lie in dw,
// staged in workgroup memory (lib/tile) in steps of 16 pixels; the next step is under way while one is used. The sum is
// cut into slices as in conv2d_dw. C / groups and O / groups divide by 4.
const SIDE = 8u; // @tune: 8 or 16
#import "index"
#import "conv2d_dw"
#import "tile"

@group(0) @binding(0) var<storage, read> x: array<vec4f>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;      // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<vec4f>;// [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Og = p.O / p.groups;
  let K = p.R * p.S * (p.C / p.groups);
  let t = tileOf(groupOf(group, groups), TILE, (K + TILE - 1u) / TILE);
  // This thread stages 4 output channels, 4 channels of a tap, or both, of 4 pixels; memory is read in its order.
  let quad = thread % TILE / BLOCKS;
  let block = thread % BLOCKS;
  let myO = t.o + block * 4u;
  let place = placeOfK(t.part * TILE + block * 4u, t.g);
#import "tile_begin"
  let begin = t.slice * p.chunk * p.Q;
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  let steps = (max(end, begin) - begin + 15u) / 16u;
  for (var step = 0u; step <= steps; step++) {
#import "conv2d_dw_tile_dy"
    if (thread >= THREADS - TILE) {
      #for i in 0..4
      let tap$i = tapOf(pixel$i, place);
      b$i = select(vec4f(), x[tap$i.at / 4u], tap$i.inside & (pixel$i < end));
      #end
    }
    if (step > 0u) {
#import "tile_multiply"
    }
    workgroupBarrier();
    if (thread < TILE) { stageA(quad, block, mat4x4f(a0, a1, a2, a3)); }
    if (thread >= THREADS - TILE) { stageB(quad, block, mat4x4f(b0, b1, b2, b3)); }
    workgroupBarrier();
  }
  let column = t.part * TILE + thread % SIDE * 4u;
  #for i in 0..8
  {
    let row = t.o + tileRow($iu, thread);
    let to = ((t.slice * p.O + t.g * Og + row) * K + column) / 4u;
    let ok = (t.slice < p.slices) & (row < Og);
    if (ok & (column < K)) { dw[to] = l$i; }
    if (ok & (column + 4u * SIDE < K)) { dw[to + SIDE] = r$i; }
  }
  #end
}
