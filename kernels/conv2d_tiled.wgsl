// y as conv2d computes it, for adapters with real workgroup memory.
// A workgroup computes TILE pixels by TILE output channels, an implicit matrix product whose tiles are staged in
// workgroup memory (lib/tile) in steps of 16 channels of one tap (r, s); the next step is under way while one is used.
// C / groups and O / groups divide by 4, so that all loads and stores are vec4.
const SIDE = 8u; // @tune: 8 or 16
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
#import "index"
#import "conv2d"
#import "tile"

@group(0) @binding(0) var<storage, read> x: array<vec4f>;      // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;      // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;// [N, P, Q, O]
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of pixels, O], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of pixels, O]
#import "tile_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let pixels = p.N * p.P * p.Q;
  let t = tileOf(groupOf(group, groups), TILE, TILE);
  // This thread stages 4 channels of 4 pixels, of 4 output channels, or both.
  let quad = thread % 4u;
  let block = thread % TILE / 4u;
  #for i in 0..4
  let pixel$i = pixelOf(t.pixel + block * 4u + $iu);
  let has$i = t.o + block * 4u + $iu < Og;
  let w$i = (t.g * Og + t.o + block * 4u + $iu) * p.R * p.S * Cg;
  #end
#import "tile_begin"
  let chunks = (Cg + 15u) / 16u;
  let steps = select(p.R * p.S * chunks, 0u, t.pixel >= pixels);
  for (var step = 0u; step <= steps; step++) {
    let r = step / chunks / p.S;
    let s = step / chunks % p.S;
    let c = step % chunks * 16u + quad * 4u;
    if (thread < TILE) {
      #for i in 0..4
      let tap$i = tapOf(pixel$i, r * p.dilationH, s * p.dilationW);
      let ok$i = tap$i.inside & (r < p.R) & (c < Cg);
      a$i = select(vec4f(), x[select(0u, (tap$i.at + t.g * Cg + c) / 4u, ok$i)], ok$i);
      #end
    }
    if (thread >= THREADS - TILE) {
      #for i in 0..4
      let ok$i = has$i & (r < p.R) & (c < Cg);
      b$i = select(vec4f(), w[select(0u, (w$i + (r * p.S + s) * Cg + c) / 4u, ok$i)], ok$i);
      #end
    }
    if (step > 0u) {
#import "tile_multiply"
    }
    workgroupBarrier();
    if (thread < TILE) { stageA(quad, block, transpose(mat4x4f(a0, a1, a2, a3))); }
    if (thread >= THREADS - TILE) { stageB(quad, block, transpose(mat4x4f(b0, b1, b2, b3))); }
    workgroupBarrier();
  }
#import "conv2d_tile_store"

}
