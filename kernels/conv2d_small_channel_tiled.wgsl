// y as conv2d_tiled computes it, for few channels, as a picture's three: x and w are read one by one.
// A workgroup computes TILE pixels by TILE output channels over the axis k = (r, s, c), as taps and channels lie in w,
// in steps of 16; the next step is under way while one is used. O / groups divides by 4.
const SIDE = 8u; // @tune: 8 or 16
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
#import "index"
#import "conv2d"
#import "tile"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<f32>;        // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;// [N, P, Q, O]
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of pixels, O], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of pixels, O]
#import "tile_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

fn loadX(q: Pixel, g: u32, k: u32) -> f32 {
  let Cg = p.C / p.groups;
  let tap = tapOf(q, k / Cg / p.S * p.dilationH, k / Cg % p.S * p.dilationW);
  let ok = tap.inside & (k < p.R * p.S * Cg);
  return select(0.0, x[select(0u, tap.at + g * Cg + k % Cg, ok)], ok);
}

// Step k of four pixels.
fn loadPixels(q0: Pixel, q1: Pixel, q2: Pixel, q3: Pixel, g: u32, k: u32) -> vec4f {
  return vec4f(loadX(q0, g, k), loadX(q1, g, k), loadX(q2, g, k), loadX(q3, g, k));
}

fn loadW(o: u32, g: u32, k: u32) -> f32 {
  let Og = p.O / p.groups;
  let K = p.R * p.S * (p.C / p.groups);
  let ok = (o < Og) & (k < K);
  return select(0.0, w[select(0u, (g * Og + o) * K + k, ok)], ok);
}

// Step k of four output channels of group g from `o` on.
fn loadChannels(o: u32, g: u32, k: u32) -> vec4f {
  return vec4f(loadW(o, g, k), loadW(o + 1u, g, k), loadW(o + 2u, g, k), loadW(o + 3u, g, k));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Og = p.O / p.groups;
  let K = p.R * p.S * (p.C / p.groups);
  let pixels = p.N * p.P * p.Q;
  let t = tileOf(groupOf(group, groups), TILE, TILE);
  // This thread stages 4 steps of k of 4 pixels, of 4 output channels, or both.
  let quad = thread % 4u;
  let block = thread % TILE / 4u;
  #for i in 0..4
  let pixel$i = pixelOf(t.pixel + block * 4u + $iu);
  #end
#import "tile_begin"
  let steps = select((K + 15u) / 16u, 0u, t.pixel >= pixels);
  for (var step = 0u; step <= steps; step++) {
    let k = step * 16u + quad * 4u;
    if (thread < TILE) {
      #for j in 0..4
      a$j = loadPixels(pixel0, pixel1, pixel2, pixel3, t.g, k + $ju);
      #end
    }
    if (thread >= THREADS - TILE) {
      #for j in 0..4
      b$j = loadChannels(t.o + block * 4u, t.g, k + $ju);
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
#import "conv2d_tile_store"

}
