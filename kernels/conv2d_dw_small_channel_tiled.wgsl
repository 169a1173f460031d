// dw as conv2d_dw_tiled computes it where channels are few, as a picture's three: nothing of x or dw is read or written
// by vec4. The
// next step is under way while one is used. O / groups divides by 4.
const SIDE = 8u; // @tune: 8 or 16
#import "index"
#import "conv2d_dw"
#import "tile"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;     // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

// Where place k of the axis (r, s, c) lies from a pixel's first tap: far above x past the last.
struct Place { down: i32, across: i32, c: u32 }

fn placeOfK(k: u32, g: u32) -> Place {
  let Cg = p.C / p.groups;
  let down = i32(k / (p.S * Cg) * p.dilationH) - i32(p.padH);
  return Place(select(-0x40000000, down, k < p.R * p.S * Cg), i32(k / Cg % p.S * p.dilationW) - i32(p.padW), g * Cg + k % Cg);
}

fn loadX(pixel: u32, end: u32, at: Place) -> f32 {
  let row = u32(i32(pixel / p.Q % p.P * p.strideH) + at.down); // negative is huge
  let column = u32(i32(pixel % p.Q * p.strideW) + at.across);
  let ok = (pixel < end) & (row < p.H) & (column < p.W);
  return select(0.0, x[select(0u, ((pixel / (p.P * p.Q) * p.H + row) * p.W + column) * p.C + at.c, ok)], ok);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Og = p.O / p.groups;
  let K = p.R * p.S * (p.C / p.groups);
  let rowBlocks = (Og + TILE - 1u) / TILE;
  let blocks = (K + TILE - 1u) / TILE;
  let id = groupOf(group, groups);
  let slice = id / (p.groups * rowBlocks * blocks);
  let k = id % blocks * TILE;
  let o = id / blocks % rowBlocks * TILE; // within the group
  let g = id / (blocks * rowBlocks) % p.groups;
  // This thread stages 4 output channels, 4 places of the axis, or both, of 4 pixels.
  let quad = thread % TILE / BLOCKS;
  let block = thread % BLOCKS;
  let myO = o + block * 4u;
  #for i in 0..4
  let place$i = placeOfK(k + block * 4u + $iu, g);
  var a$i: vec4f;
  var b$i: vec4f;
  #end
  #for i in 0..8
  var l$i = vec4f();
  var r$i = vec4f();
  #end
  let begin = slice * p.chunk * p.Q;
  let end = min((slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  let steps = (max(end, begin) - begin + 15u) / 16u;
  for (var step = 0u; step <= steps; step++) {
    #for i in 0..4
    let pixel$i = begin + step * 16u + quad * 4u + $iu;
    #end
    if (thread < TILE) {
      #for i in 0..4
      let ok$i = (pixel$i < end) & (myO < Og);
      a$i = select(vec4f(), dy[select(0u, (pixel$i * p.O + g * Og + myO) / 4u, ok$i)], ok$i);
      #end
    }
    if (thread >= THREADS - TILE) {
      #for i in 0..4
      b$i = vec4f(loadX(pixel$i, end, place0), loadX(pixel$i, end, place1), loadX(pixel$i, end, place2), loadX(pixel$i, end, place3));
      #end
    }
    if (step > 0u) {
#import "tile_multiply"
    }
#import "tile_stage"
  }
  let column = k + thread % SIDE * 4u;
  #for i in 0..8
  {
    let row = o + ($iu / 4u * SIDE + thread / SIDE) * 4u + $iu % 4u;
    let to = (slice * p.O + g * Og + row) * K + column;
    let ok = (slice < p.slices) & (row < Og);
    #for j in 0..4
    if (ok & (column + $ju < K)) { dw[to + $ju] = l$i[$j]; }
    if (ok & (column + 4u * SIDE + $ju < K)) { dw[to + 4u * SIDE + $ju] = r$i[$j]; }
    #end
  }
  #end
}
