// dw as conv2d_dw_tiled computes it, for few channels, as a picture's three: x and dw are read and written one by one.
// A workgroup computes HEIGHT output channels by WIDTH places of k = (r, s, c), in steps of DEEP pixels. O / groups
// divides by 4.
#import "index"
#import "conv2d_dw"
#import "blocks"
#import "conv2d_dw_spots"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;     // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

fn loadDy(t: Tile, pixel: u32, end: u32, along: u32) -> vec4f {
  let ok = (pixel < end) & (t.o + along < p.O / p.groups);
  return select(vec4f(), dy[select(0u, (pixel * p.O + t.g * (p.O / p.groups) + t.o + along) / 4u, ok)], ok);
}

fn loadX(line: u32, place: Place) -> f32 {
  let tap = tapAt(spots[line], place);
  return select(0.0, x[tap.at], tap.inside);
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let K = p.R * p.S * (p.C / p.groups);
  let k = t.part * WIDTH + column;
  let ok = (t.slice < p.slices) & (t.o + row < p.O / p.groups);
  let to = (t.slice * p.O + t.g * (p.O / p.groups) + t.o + row) * K + k;
  #for j in 0..4
  if (ok & (k + $ju < K)) { dw[to + $ju] = v[$j]; }
  #end
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, (p.R * p.S * (p.C / p.groups) + WIDTH - 1u) / WIDTH);
  let begin = t.slice * p.chunk * p.Q;
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
#import "blocks_begin"
  // This thread stages 4 output channels, 4 places of the axis, or both, of 4 pixels; memory is read in its order.
  #for j in 0..4
  let place$j = placeOfK(t.part * WIDTH + be % B_BLOCKS * 4u + $ju, t.g);
  #end
  lookUp(thread, begin + thread, end);
  workgroupBarrier();
  let steps = (max(end, begin) - begin + DEEP - 1u) / DEEP;
  for (var step = 0u; step <= steps; step++) {
    let start = begin + step * DEEP;
    if (hasA) {
      #for i in 0..4
      x$i = loadDy(t, start + thread / A_BLOCKS * 4u + $iu, end, thread % A_BLOCKS * 4u);
      #end
    }
    if (hasB) {
      #for i in 0..4
      #for j in 0..4
      y$i[$j] = loadX(be / B_BLOCKS * 4u + $iu, place$j);
      #end
      #end
    }
    if (step > 0u) {
#import "blocks_multiply"
    }
    workgroupBarrier();
    if (hasA) { stageA(thread / A_BLOCKS, thread % A_BLOCKS, mat4x4f(x0, x1, x2, x3)); }
    if (hasB) { stageB(be / B_BLOCKS, be % B_BLOCKS, mat4x4f(y0, y1, y2, y3)); }
    lookUp(thread, start + DEEP + thread, end);
    workgroupBarrier();
  }
#import "blocks_store"
}
