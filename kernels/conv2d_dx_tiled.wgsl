// dx as conv2d_dx computes it, by the remainders of pixels modulo the stride, for adapters with real workgroup memory
// (lib/blocks).
// A workgroup computes HEIGHT pixels of a class by WIDTH channels, in steps of DEEP output channels of one tap. C /
// groups and O / groups divide by 4, so that all loads and stores are vec4.
#import "index"
#import "conv2d_dx"
#import "conv2d_dx_taps"
#import "blocks"

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;      // [N, P, Q, O]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;       // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;// [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

fn loadDy(t: Tile, met: Taps, q: Pixel, k: Step, along: u32) -> vec4f {
  let tap = tapOf(q, met.down - i32(k.i * met.up), met.right - i32(k.j * met.left));
  let ok = tap.inside & (k.o + along < p.O / p.groups) & (k.i < met.rows);
  return select(vec4f(), dy[select(0u, (tap.at + t.g * (p.O / p.groups) + k.o + along) / 4u, ok)], ok);
}

fn loadW(t: Tile, met: Taps, line: u32, k: Step, along: u32) -> vec4f {
  let ok = (k.o + line < p.O / p.groups) & (t.c + along < p.C / p.groups) & (k.i < met.rows);
  let o = t.g * (p.O / p.groups) + k.o + line;
  let tap = (o * p.R + met.r + k.i * met.rStep) * p.S + met.s + k.j * met.sStep;
  return select(vec4f(), w[select(0u, (tap * (p.C / p.groups) + t.c + along) / 4u, ok)], ok);
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let ok = (t.pixel + row < t.kind.pixels) & (t.c + column < p.C / p.groups);
  var at = (t.pixel + row) * p.C;
  if (p.strideH * p.strideW > 1u) { at = placeIn(t.kind, pixelOf(t.kind, t.pixel + row)); }
  if (ok) { dx[(at + t.g * (p.C / p.groups) + t.c + column) / 4u] = v; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let id = groupOf(group, groups);
  let t = tileOf(classOf(id), id % p.groupsPerClass, HEIGHT, WIDTH);
  let met = tapsOf(t.kind);
#import "blocks_begin"
  // This thread stages 4 output channels of 4 pixels, of 4 channels, or both; memory is read in its order.
  #for i in 0..4
  let pixel$i = pixelOf(t.kind, t.pixel + thread / QUADS * 4u + $iu);
  #end
  var k = Step();
  let chunks = (p.O / p.groups + DEEP - 1u) / DEEP;
  let steps = select(met.rows * met.columns * chunks, 0u, t.pixel >= t.kind.pixels);
  for (var step = 0u; step <= steps; step++) {
    if (hasA) {
      #for i in 0..4
      x$i = loadDy(t, met, pixel$i, k, thread % QUADS * 4u);
      #end
    }
    if (hasB) {
      #for i in 0..4
      y$i = loadW(t, met, be / B_BLOCKS * 4u + $iu, k, be % B_BLOCKS * 4u);
      #end
    }
    if (step > 0u) {
#import "blocks_multiply"
    }
    k = after(met, k, DEEP);
    workgroupBarrier();
    if (hasA) { stageA(thread % QUADS, thread / QUADS, transpose(mat4x4f(x0, x1, x2, x3))); }
    if (hasB) { stageB(be / B_BLOCKS, be % B_BLOCKS, mat4x4f(y0, y1, y2, y3)); }
    workgroupBarrier();
  }
#import "blocks_store"
}
