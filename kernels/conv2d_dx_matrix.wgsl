enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dx as conv2d_dx computes it, by the remainders of pixels modulo the stride, on tensor cores (lib/mma).
// A workgroup computes HEIGHT pixels of a class by WIDTH channels, in steps of DEEP output channels of one tap; the
// next step is on its way to registers while one is used. C / groups and O / groups divide by 8: memory is read and
// written by 16 bytes, and counted in them. A TAIL is where a tap's output channels are not whole steps. With LOW
// factors are f32, each the sum of two halves (lib/mma_f32).
const TAIL = 0u; // @tune
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
const UNIT = 8u;
#import "index"
#import "conv2d_dx"
#import "conv2d_dx_steps"
#import "mma"
#import "mma_f32"
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

fn loadA(q: Spot, k: Step, along: u32) -> Chunk {
  #if TAIL
  let ok = meets(q, k) & (k.o + along < p.O / p.groups);
  #else
  let ok = meets(q, k);
  #endif
  return chunkIf(ok, fetch0(select(0u, q.at + k.dy, ok)));
}

fn loadB(at: u32, k: Step, line: u32) -> Chunk {
  #if TAIL
  let ok = k.o + line < p.O / p.groups;
  return chunkIf(ok, fetch1(select(0u, at + k.w, ok)));
  #else
  return fetch1(at + k.w);
  #endif
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  var at = (t.pixel + row) * p.C;
  if (p.strideH * p.strideW > 1u) { at = placeIn(t.kind, pixelOf(t.kind, t.pixel + row)); }
  at += t.g * (p.C / p.groups) + t.c + column;
  if ((t.pixel + row < t.kind.pixels) & (t.c + column < p.C / p.groups)) { put(at / UNIT, u, v); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let id = groupOf(group, groups);
  let t = tileOf(classOf(id), id % p.groupsPerClass, HEIGHT, WIDTH);
  let met = tapsOf(t.kind);
#import "mma_begin"
  // Channels beyond the last repeat it: what they make is not stored.
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let spot$i = spotOf(t.kind, t.pixel + aq$i.x, t.g * Og + aq$i.y);
  var x$i: Chunk;
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  let bAt$i = ((t.g * Og + bq$i.x) * p.R * p.S * Cg + min(t.c + bq$i.y, Cg - UNIT)) / UNIT;
  var y$i: Chunk;
  #end
  let steps = stepsOf(t, met);
  #if LOW
  var most = vec2f(); // the largest values so far
  if (steps > 0u) {
    #for i in 0..A_LOADS
    {
      let x = loadA(spot$i, stepOf(met, (thread + $iu * THREADS) * 40503u / 16u % steps), aq$i.y);
      most.x = max(most.x, largestOf(Chunk(finite(x.u), finite(x.v))));
    }
    #end
    #for i in 0..B_LOADS
    {
      let y = loadB(bAt$i, stepOf(met, (thread + $iu * THREADS) * 40503u / 16u % steps), bq$i.x);
      most.y = max(most.y, largestOf(Chunk(finite(y.u), finite(y.v))));
    }
    #end
  }
  var exponents = exponentsOf(overAll(most, thread));
  for (var turn = 0u; turn < 2u; turn++) {
#import "mma_f32_begin"
  #endif
  var k = stepAt(met, 0u, 0u, 0u);
  if (steps > 0u) {
    #for i in 0..A_LOADS
    x$i = loadA(spot$i, k, aq$i.y);
    #end
    #for i in 0..B_LOADS
    y$i = loadB(bAt$i, k, bq$i.x);
    #end
  }
  for (var step = 1u; step <= steps; step++) {
    workgroupBarrier();
#import "mma_stage"
    workgroupBarrier();
    if (step < steps) {
      k = after(met, k);
      #for i in 0..A_LOADS
      x$i = loadA(spot$i, k, aq$i.y);
      #end
      #for i in 0..B_LOADS
      y$i = loadB(bAt$i, k, bq$i.x);
      #end
    }
#import "mma_multiply"
  }
  #if LOW
#import "mma_f32_end"
  }
  let unscale = unscaleOf(exponents);
  #endif
#import "mma_store"
}
