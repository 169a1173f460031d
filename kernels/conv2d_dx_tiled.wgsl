// dx as conv2d_dx computes it, by the remainders of pixels modulo the stride, for adapters with real workgroup memory.
// A workgroup computes TILE pixels of a class by TILE channels, staged as in conv2d_tiled in steps of 16 output
// channels of one tap; the next step is under way while one is used. C / groups and O / groups divide by 4.
const SIDE = 8u; // @tune: 8 or 16
#import "index"
#import "conv2d_dx"
#import "tile"

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;      // [N, P, Q, O]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;       // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;// [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let id = groupOf(group, groups);
  let kind = classOf(id);
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let t = tileOf(kind, id % p.groupsPerClass, TILE, TILE);
  // This thread stages 4 output channels of 4 pixels, of 4 channels, or both; memory is read in its order.
  let quad = thread % 4u;
  let block = thread % TILE / 4u;
  let wQuad = thread % TILE / BLOCKS;
  let wBlock = thread % BLOCKS;
  #for i in 0..4
  let pixel$i = pixelOf(kind, t.pixel + block * 4u + $iu);
  #end
#import "tile_begin"
  let chunks = (Og + 15u) / 16u;
  let steps = select(p.R * p.S * chunks, 0u, t.pixel >= kind.pixels);
  var begun = false;
  for (var step = nextStep(kind, 0u, chunks); ; step = nextStep(kind, step + 1u, chunks)) {
    let r = step / chunks / p.S;
    let s = step / chunks % p.S;
    let start = step % chunks * 16u;
    if (thread < TILE) {
      let down = rowOf(kind, r);
      let right = columnOf(kind, s);
      let o = start + quad * 4u;
      #for i in 0..4
      let tap$i = tapOf(pixel$i, down, right);
      let ok$i = tap$i.inside & (r < p.R) & (o < Og);
      a$i = select(vec4f(), dy[select(0u, (tap$i.at + t.g * Og + o) / 4u, ok$i)], ok$i);
      #end
    }
    if (thread >= THREADS - TILE) {
      #for i in 0..4
      let o$i = start + wQuad * 4u + $iu;
      let ok$i = (o$i < Og) & (r < p.R) & (t.c + wBlock * 4u < Cg);
      let at$i = (((t.g * Og + o$i) * p.R + r) * p.S + s) * Cg + t.c + wBlock * 4u;
      b$i = select(vec4f(), w[select(0u, at$i / 4u, ok$i)], ok$i);
      #end
    }
    if (begun) {
#import "tile_multiply"
    }
    if (step >= steps) { break; }
    begun = true;
    workgroupBarrier();
    if (thread < TILE) { stageA(quad, block, transpose(mat4x4f(a0, a1, a2, a3))); }
    if (thread >= THREADS - TILE) { stageB(wQuad, wBlock, mat4x4f(b0, b1, b2, b3)); }
    workgroupBarrier();
  }
  let column = t.c + thread % SIDE * 4u;
  #for i in 0..8
  {
    let pixel = t.pixel + tileRow($iu, thread);
    let to = (placeIn(kind, pixelOf(kind, pixel)) + t.g * Cg + column) / 4u;
    if ((pixel < kind.pixels) & (column < Cg)) { dx[to] = l$i; }
    if ((pixel < kind.pixels) & (column + 4u * SIDE < Cg)) { dx[to + SIDE] = r$i; }
  }
  #end
}
