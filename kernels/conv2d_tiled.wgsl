// y as conv2d computes it, for adapters with real workgroup memory (lib/blocks).
// A workgroup computes HEIGHT pixels by WIDTH output channels, an implicit matrix product in steps of DEEP channels of
// one tap. C / groups and O / groups divide by 4, so that all loads and stores are vec4.
#import "index"
#import "conv2d"
#import "conv2d_steps"
#import "blocks"

@group(0) @binding(0) var<storage, read> x: array<vec4f>;      // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;      // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;// [N, P, Q, O]
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of pixels, O], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of pixels, O]
#import "matmul_tiled_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

fn loadX(t: Tile, q: Pixel, k: Step, along: u32) -> vec4f {
  let tap = tapOf(q, k.r * p.dilationH, k.s * p.dilationW);
  let ok = tap.inside & (k.c + along < p.C / p.groups) & (k.r < p.R);
  return select(vec4f(), x[select(0u, (tap.at + t.g * (p.C / p.groups) + k.c + along) / 4u, ok)], ok);
}

fn loadW(t: Tile, line: u32, k: Step, along: u32) -> vec4f {
  let ok = (t.o + line < p.O / p.groups) & (k.c + along < p.C / p.groups) & (k.r < p.R);
  let tap = ((t.g * (p.O / p.groups) + t.o + line) * p.R + k.r) * p.S + k.s;
  return select(vec4f(), w[select(0u, (tap * (p.C / p.groups) + k.c + along) / 4u, ok)], ok);
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let ok = (t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O / p.groups);
  if (ok) { y[((t.pixel + row) * p.O + t.g * (p.O / p.groups) + t.o + column) / 4u] = v; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
#import "blocks_begin"
  // This thread stages 4 channels of 4 pixels, of 4 output channels, or both.
  #for i in 0..4
  let pixel$i = pixelOf(t.pixel + thread / QUADS * 4u + $iu);
  #end
  var k = Step();
  let chunks = (p.C / p.groups + DEEP - 1u) / DEEP;
  let steps = select(p.R * p.S * chunks, 0u, t.pixel >= p.N * p.P * p.Q);
  for (var step = 0u; step <= steps; step++) {
    if (hasA) {
      #for i in 0..4
      x$i = loadX(t, pixel$i, k, thread % QUADS * 4u);
      #end
    }
    if (hasB) {
      #for i in 0..4
      y$i = loadW(t, be / QUADS * 4u + $iu, k, be % QUADS * 4u);
      #end
    }
    if (step > 0u) {
#import "blocks_multiply"
    }
    k = after(k);
    workgroupBarrier();
    if (hasA) { stageA(thread % QUADS, thread / QUADS, transpose(mat4x4f(x0, x1, x2, x3))); }
    if (hasB) { stageB(be % QUADS, be / QUADS, transpose(mat4x4f(y0, y1, y2, y3))); }
    workgroupBarrier();
  }
  #if STATS
  let rows = min(HEIGHT, p.N * p.P * p.Q - min(t.pixel, p.N * p.P * p.Q));
  let place = (t.pixel / HEIGHT * p.O + t.g * (p.O / p.groups) + t.o) / 4u;
  let holds = p.O / p.groups - min(t.o, p.O / p.groups);
  #endif
#import "blocks_store"
}
