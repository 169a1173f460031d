enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y as conv2d computes it, on tensor cores (lib/mma).
// A workgroup computes HEIGHT pixels by WIDTH output channels, in steps of DEEP channels of one tap; the next step is
// on its way to registers while one is used. C / groups and O / groups divide by 8: memory is read and written by 16
// bytes, and counted in them. A TAIL is where a tap's channels are not whole steps. With LOW factors are f32,
// each the sum of two halves (lib/mma_f32).
const TAIL = 0u; // @tune
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
const UNIT = 8u;
#import "index"
#import "conv2d"
#import "conv2d_steps"
#import "mma"
#import "mma_f32"
#import "mma_first"
#import "mma_second"
#import "mma_put"

#if F16_0
@group(0) @binding(0) var<storage, read> in0: array<vec4u>; // x [N, H, W, C]
#else
@group(0) @binding(0) var<storage, read> in0: array<vec4f>;
#endif
#if F16_1
@group(0) @binding(1) var<storage, read> in1: array<vec4u>; // w [O, R, S, C / groups]
#else
@group(0) @binding(1) var<storage, read> in1: array<vec4f>;
#endif
#if F16_2
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>; // y [N, P, Q, O]
#else
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
#endif
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of 16 TALL pixels, O], less the first
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of 16 TALL pixels, O]
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

fn loadA(q: Spot, k: Step, along: u32) -> Chunk {
  #if TAIL
  let ok = meets(q, k) & (k.c + along < p.C / p.groups);
  #else
  let ok = meets(q, k);
  #endif
  return chunkIf(ok, fetch0(select(0u, q.at + k.x, ok)));
}

fn loadB(at: u32, k: Step, along: u32) -> Chunk {
  #if TAIL
  let ok = k.c + along < p.C / p.groups;
  return chunkIf(ok, fetch1(select(0u, at + k.w, ok)));
  #else
  return fetch1(at + k.w);
  #endif
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let at = (t.pixel + row) * p.O + t.g * (p.O / p.groups) + t.o + column;
  if ((t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O / p.groups)) { put(at / UNIT, u, v); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
#import "mma_begin"
  // Output channels beyond the last repeat it: what they make is not stored.
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let spot$i = spotOf(t.pixel + aq$i.x, t.g * Cg + aq$i.y);
  var x$i: Chunk;
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  let bAt$i = ((t.g * Og + min(t.o + bq$i.x, Og - 1u)) * p.R * p.S * Cg + bq$i.y) / UNIT;
  var y$i: Chunk;
  #end
  let steps = stepsOf(t);
  #if LOW
  var most = vec2f(); // the largest values so far
  if (steps > 0u) {
    #for i in 0..A_LOADS
    {
      let x = loadA(spot$i, stepOf((thread + $iu * THREADS) * 40503u / 16u % steps), aq$i.y);
      most.x = max(most.x, largestOf(Chunk(finite(x.u), finite(x.v))));
    }
    #end
    #for i in 0..B_LOADS
    {
      let y = loadB(bAt$i, stepOf((thread + $iu * THREADS) * 40503u / 16u % steps), bq$i.y);
      most.y = max(most.y, largestOf(Chunk(finite(y.u), finite(y.v))));
    }
    #end
  }
  var exponents = exponentsOf(overAll(most, thread));
  for (var turn = 0u; turn < 2u; turn++) {
#import "mma_f32_begin"
  #endif
  var k = stepAt(0u, 0u, 0u);
  if (steps > 0u) {
    #for i in 0..A_LOADS
    x$i = loadA(spot$i, k, aq$i.y);
    #end
    #for i in 0..B_LOADS
    y$i = loadB(bAt$i, k, bq$i.y);
    #end
  }
  for (var step = 1u; step <= steps; step++) {
    workgroupBarrier();
#import "mma_stage"
    workgroupBarrier();
    if (step < steps) {
      k = after(k);
      #for i in 0..A_LOADS
      x$i = loadA(spot$i, k, aq$i.y);
      #end
      #for i in 0..B_LOADS
      y$i = loadB(bAt$i, k, bq$i.y);
      #end
    }
#import "mma_multiply"
  }
  #if LOW
#import "mma_f32_end"
  }
  let unscale = unscaleOf(exponents);
  #endif
  #if STATS
  let rows = min(16u * TALL, p.N * p.P * p.Q - min(t.pixel + row, p.N * p.P * p.Q));
  let place = ((t.pixel + row) / (16u * TALL) * p.O + t.g * Og + t.o) / 4u;
  let holds = Og - min(t.o, Og);
  #endif
#import "mma_store"
}
