enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y as conv2d computes it, on tensor cores (lib/mma).
// A workgroup computes HEIGHT pixels by WIDTH output channels, in steps of DEEP channels of one tap; the next step is on
// its way to registers while one is used. C / groups and O / groups divide by 8: memory is read and written by 16 bytes.
const F16_0 = 0u; // @tune: binding 0 is stored as f16
const F16_1 = 0u; // @tune
const F16_2 = 0u; // @tune
#import "index"
#import "conv2d"
#import "conv2d_steps"
#import "mma"
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

fn loadA(t: Tile, q: Pixel, k: Step, along: u32) -> vec4u {
  let tap = tapOf(q, k.r * p.dilationH, k.s * p.dilationW);
  let ok = tap.inside & (k.c + along < p.C / p.groups) & (k.r < p.R);
  return fetch0(tap.at + t.g * (p.C / p.groups) + k.c + along, ok);
}

fn loadB(t: Tile, line: u32, k: Step, along: u32) -> vec4u {
  let ok = (t.o + line < p.O / p.groups) & (k.c + along < p.C / p.groups) & (k.r < p.R);
  let tap = ((t.g * (p.O / p.groups) + t.o + line) * p.R + k.r) * p.S + k.s;
  return fetch1(tap * (p.C / p.groups) + k.c + along, ok);
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let ok = (t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O / p.groups);
  put((t.pixel + row) * p.O + t.g * (p.O / p.groups) + t.o + column, ok, u, v);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
#import "mma_begin"
  var k = Step();
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let pixel$i = pixelOf(t.pixel + aq$i.x);
  var x$i = loadA(t, pixel$i, k, aq$i.y);
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  var y$i = loadB(t, bq$i.x, k, bq$i.y);
  #end
  let chunks = (p.C / p.groups + DEEP - 1u) / DEEP;
  let steps = select(p.R * p.S * chunks, 0u, t.pixel >= p.N * p.P * p.Q);
  for (var step = 0u; step < steps; step++) {
    workgroupBarrier();
#import "mma_stage"
    workgroupBarrier();
    k = after(k);
    #for i in 0..A_LOADS
    x$i = loadA(t, pixel$i, k, aq$i.y);
    #end
    #for i in 0..B_LOADS
    y$i = loadB(t, bq$i.x, k, bq$i.y);
    #end
#import "mma_multiply"
  }
  #if STATS
  let rows = min(16u * TALL, p.N * p.P * p.Q - min(t.pixel + row, p.N * p.P * p.Q));
  let place = ((t.pixel + row) / (16u * TALL) * p.O + t.g * (p.O / p.groups) + t.o) / 4u;
  let holds = p.O / p.groups - min(t.o, p.O / p.groups);
  #endif
#import "mma_store"
}
