enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dw as conv2d_dw computes it, on tensor cores (lib/mma).
// A workgroup computes HEIGHT output channels by WIDTH places of the axis k = (r, s, c), as taps and channels lie in
// dw, in steps of DEEP pixels; the next step is on its way to registers while one is used. The sum is cut into slices
// as in conv2d_dw. C / groups and O / groups divide by 8: memory is read and written by 16 bytes, and counted in them.
// With LOW factors are f32, each the sum of two halves (lib/mma_f32).
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
const UNIT = 8u;
#import "index"
#import "conv2d_dw"
#import "mma"
#import "mma_f32"
#import "mma_first"
#import "mma_second"
#import "mma_put"
#import "conv2d_dw_spots"

#if F16_0
@group(0) @binding(0) var<storage, read> in0: array<vec4u>; // x [N, H, W, C]
#else
@group(0) @binding(0) var<storage, read> in0: array<vec4f>;
#endif
#if F16_1
@group(0) @binding(1) var<storage, read> in1: array<vec4u>; // dy [N, P, Q, O]
#else
@group(0) @binding(1) var<storage, read> in1: array<vec4f>;
#endif
#if F16_2
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>; // dw [slices, O, R, S, C / groups]
#else
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
#endif
@group(1) @binding(0) var<uniform> p: Params;

fn loadB(q: vec4i, k: Reach) -> Chunk {
  let ok = meets(q, k);
  return chunkIf(ok, fetch0(select(0u, u32(q.x + k.at), ok)));
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let K = p.R * p.S * (p.C / p.groups);
  let at = (t.slice * p.O + t.g * (p.O / p.groups) + t.o + row) * K + t.part * WIDTH + column;
  let ok = (t.slice < p.slices) & (t.o + row < p.O / p.groups) & (t.part * WIDTH + column < K);
  if (ok) { put(at / UNIT, u, v); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Og = p.O / p.groups;
  let t = tileOf(groupOf(group, groups), HEIGHT, (p.R * p.S * (p.C / p.groups) + WIDTH - 1u) / WIDTH);
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  let begin = t.slice * p.chunk * p.Q;
#import "mma_begin"
  // Output channels beyond the last repeat it: what they make is not stored.
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let aAt$i = (t.g * Og + min(t.o + aq$i.y, Og - UNIT)) / UNIT;
  var x$i: Chunk;
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  let reach$i = reachOf(t.part * WIDTH + bq$i.y, t.g);
  var y$i: Chunk;
  #end
  #if LOW
  var most = vec2f(); // the largest values so far
  if (begin < end) {
    let tiles = (end - begin + DEEP - 1u) / DEEP;
    #for i in 0..A_LOADS
    {
      let pixel = begin + (thread + $iu * THREADS) * 40503u / 16u % tiles * DEEP + aq$i.x;
      let x = fetch1(pixelIn(pixel) * (p.O / UNIT) + aAt$i);
      most.x = max(most.x, largestOf(Chunk(finite(x.u), finite(x.v))));
    }
    #end
    #for i in 0..B_LOADS
    {
      let pixel = begin + (thread + $iu * THREADS) * 40503u / 16u % tiles * DEEP + bq$i.x;
      let y = loadB(spotIn(pixel, end), reach$i);
      most.y = max(most.y, largestOf(Chunk(finite(y.u), finite(y.v))));
    }
    #end
  }
  var exponents = exponentsOf(overAll(most, thread));
  for (var turn = 0u; turn < 2u; turn++) {
#import "mma_f32_begin"
  #endif
  var next = begin;
  lookUp(thread, next + thread, end);
  workgroupBarrier();
  if (next < end) {
    #for i in 0..A_LOADS
    x$i = fetch1(pixelIn(next + aq$i.x) * (p.O / UNIT) + aAt$i);
    #end
    #for i in 0..B_LOADS
    y$i = loadB(spots[bq$i.x], reach$i);
    #end
  }
  for (; next < end;) {
    workgroupBarrier();
#import "mma_stage"
    next += DEEP;
    lookUp(thread, next + thread, end);
    workgroupBarrier();
    if (next < end) {
      #for i in 0..A_LOADS
      x$i = fetch1(pixelIn(next + aq$i.x) * (p.O / UNIT) + aAt$i);
      #end
      #for i in 0..B_LOADS
      y$i = loadB(spots[bq$i.x], reach$i);
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
