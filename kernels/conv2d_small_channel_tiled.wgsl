// y as conv2d computes it where channels are few, as a picture's three, for adapters with real workgroup memory: an
// implicit matrix
// product of pixels by output channels over taps and channels, which are one axis k = (r, s, c) as they lie in w,
// staged in
// workgroup memory (lib/tile) in steps of 16. The next step is under way while one is used. O / groups divides by 4.
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

fn loadX(q: Pixel, g: u32, k: u32, Cg: u32) -> f32 {
  let tap = k / Cg;
  let row = u32(q.top + i32(tap / p.S * p.dilationH)); // negative is huge
  let column = u32(q.left + i32(tap % p.S * p.dilationW));
  let ok = (row < p.H) & (column < p.W) & (tap < p.R * p.S);
  return select(0.0, x[select(0u, ((q.image + row) * p.W + column) * p.C + g * Cg + k % Cg, ok)], ok);
}

fn loadW(first: u32, row: u32, rows: u32, k: u32, K: u32) -> f32 {
  let ok = (row < rows) & (k < K);
  return select(0.0, w[select(0u, (first + row) * K + k, ok)], ok);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let K = p.R * p.S * Cg;
  let blocks = (Og + TILE - 1u) / TILE;
  let pixels = p.N * p.P * p.Q;
  let tile = groupOf(group, groups);
  let first = tile / (p.groups * blocks) * TILE;
  let g = (tile / blocks) % p.groups;
  let o = (tile % blocks) * TILE; // within the group
  // This thread stages 4 steps of k of 4 pixels, of 4 output channels, or both.
  let quad = thread % 4u;
  let block = thread % TILE / 4u;
  #for i in 0..4
  let pixel$i = pixelOf(first + block * 4u + $iu);
  var a$i: vec4f;
  var b$i: vec4f;
  #end
  #for i in 0..8
  var l$i = vec4f();
  var r$i = vec4f();
  #end
  let steps = select((K + 15u) / 16u, 0u, first >= pixels);
  for (var step = 0u; step <= steps; step++) {
    let k = step * 16u + quad * 4u;
    if (thread < TILE) {
      #for j in 0..4
      a$j = vec4f(loadX(pixel0, g, k + $ju, Cg), loadX(pixel1, g, k + $ju, Cg), loadX(pixel2, g, k + $ju, Cg), loadX(pixel3, g, k + $ju, Cg));
      #end
    }
    if (thread >= THREADS - TILE) {
      let row = o + block * 4u;
      #for j in 0..4
      b$j = vec4f(loadW(g * Og, row, Og, k + $ju, K), loadW(g * Og, row + 1u, Og, k + $ju, K), loadW(g * Og, row + 2u, Og, k + $ju, K), loadW(g * Og, row + 3u, Og, k + $ju, K));
      #end
    }
    if (step > 0u) {
#import "tile_multiply"
    }
#import "tile_stage"
  }
  let column = o + thread % SIDE * 4u;
  #for i in 0..8
  {
    let pixel = first + ($iu / 4u * SIDE + thread / SIDE) * 4u + $iu % 4u;
    let to = (pixel * p.O + g * Og + column) / 4u;
    if ((pixel < pixels) & (column < Og)) { y[to] = l$i; }
    if ((pixel < pixels) & (column + 4u * SIDE < Og)) { y[to + SIDE] = r$i; }
  }
  #end
  #if STATS
  let rows = min(TILE, pixels - min(first, pixels));
  let place = (first / TILE * p.O + g * Og + column) / 4u;
  writeStats(array(l0, l1, l2, l3, l4, l5, l6, l7), rows, thread, place, column < Og);
  writeStats(array(r0, r1, r2, r3, r4, r5, r6, r7), rows, thread, place + SIDE, column + 4u * SIDE < Og);
  #endif
}
