enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dx as conv2d_dx computes it, by the remainders of pixels modulo the stride, on tensor cores (lib/mma).
// A workgroup computes HEIGHT pixels of a class by WIDTH channels, in steps of DEEP output channels of one tap; the next
// step is on its way to registers while one is used. C / groups and O / groups divide by 8: memory is read and written
// by 16 bytes.
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
#import "index"
#import "conv2d_dx"
#import "conv2d_dx_taps"
#import "mma"
#import "mma_first"
#import "mma_second"
#import "mma_put"

#if F16_0
@group(0) @binding(0) var<storage, read> in0: array<vec4u>; // dy [N, P, Q, O]
#else
@group(0) @binding(0) var<storage, read> in0: array<vec4f>;
#endif
#if F16_1
@group(0) @binding(1) var<storage, read> in1: array<vec4u>; // w [O, R, S, C / groups]
#else
@group(0) @binding(1) var<storage, read> in1: array<vec4f>;
#endif
#if F16_2
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>; // dx [N, H, W, C]
#else
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
#endif
@group(1) @binding(0) var<uniform> p: Params;

fn loadA(t: Tile, met: Taps, q: Pixel, k: Step, along: u32) -> vec4u {
  let tap = tapOf(q, met.down - i32(k.i * met.up), met.right - i32(k.j * met.left));
  let ok = tap.inside & (k.o + along < p.O / p.groups) & (k.i < met.rows);
  return fetch0(tap.at + t.g * (p.O / p.groups) + k.o + along, ok);
}

fn loadB(t: Tile, met: Taps, line: u32, k: Step, along: u32) -> vec4u {
  let ok = (k.o + line < p.O / p.groups) & (t.c + along < p.C / p.groups) & (k.i < met.rows);
  let o = t.g * (p.O / p.groups) + k.o + line;
  let tap = (o * p.R + met.r + k.i * met.rStep) * p.S + met.s + k.j * met.sStep;
  return fetch1(tap * (p.C / p.groups) + t.c + along, ok);
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let ok = (t.pixel + row < t.kind.pixels) & (t.c + column < p.C / p.groups);
  var at = (t.pixel + row) * p.C;
  if (p.strideH * p.strideW > 1u) { at = placeIn(t.kind, pixelOf(t.kind, t.pixel + row)); }
  put(at + t.g * (p.C / p.groups) + t.c + column, ok, u, v);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let id = groupOf(group, groups);
  let t = tileOf(classOf(id), id % p.groupsPerClass, HEIGHT, WIDTH);
  let met = tapsOf(t.kind);
#import "mma_begin"
  var k = Step();
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let pixel$i = pixelOf(t.kind, t.pixel + aq$i.x);
  var x$i = loadA(t, met, pixel$i, k, aq$i.y);
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  var y$i = loadB(t, met, bq$i.x, k, bq$i.y);
  #end
  let chunks = (p.O / p.groups + DEEP - 1u) / DEEP;
  let steps = select(met.rows * met.columns * chunks, 0u, t.pixel >= t.kind.pixels);
  for (var step = 0u; step < steps; step++) {
    workgroupBarrier();
#import "mma_stage"
    workgroupBarrier();
    k = after(met, k, DEEP);
    #for i in 0..A_LOADS
    x$i = loadA(t, met, pixel$i, k, aq$i.y);
    #end
    #for i in 0..B_LOADS
    y$i = loadB(t, met, bq$i.x, k, bq$i.y);
    #end
#import "mma_multiply"
  }
#import "mma_store"
}
