enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y as conv2d computes it, for few channels, as a picture's three, on tensor cores (lib/mma, lib/mma_eights).
// A workgroup computes HEIGHT pixels by WIDTH output channels, in steps of DEEP of the axis of taps and channels, of
// which x and w are read one by one; the next step is on its way to registers while one is used. One group, and O
// divides by 8.
const F16_2 = 0u; // @tune: binding 2 is stored as f16
#import "index"
#import "conv2d"
#import "mma"
#import "mma_eights"
#import "conv2d_steps"
#import "mma_put"

@group(0) @binding(0) var<storage, read> in0: array<f32>; // x [N, H, W, C]
@group(0) @binding(1) var<storage, read> in1: array<f32>; // w [O, R, S, C]
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

fn loadB(o: u32, e: Eight) -> vec4u {
  let ok = (o < p.O) & (e.r < p.R);
  let line = (o * p.R + e.r) * p.S * p.C;
  let length = select(0u, p.S * p.C, ok);
  #for k in 0..8
  let ok$k = e.at + $ku < length;
  let v$k = select(0.0, in1[select(0u, line + e.at + $ku, ok$k)], ok$k);
  #end
  return vec4u(halves(vec4f(v0, v1, v2, v3)), halves(vec4f(v4, v5, v6, v7)));
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let ok = (t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O);
  if (ok) { put(((t.pixel + row) * p.O + t.o + column) / 8u, u, v); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
#import "mma_begin"
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let spot$i = spotOf(t.pixel + aq$i.x, 0u);
  var x$i: vec4u;
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  var y$i: vec4u;
  #end
  let eights = select(p.R * eightsARow(), 0u, t.pixel >= p.N * p.P * p.Q);
  var e = eightOf(thread % (DEEP / 8u)); // the same for all of a thread's chunks
  #for i in 0..A_LOADS
  x$i = eightOfX(spot$i.at, spot$i.top, spot$i.left, e);
  #end
  #for i in 0..B_LOADS
  y$i = loadB(t.o + bq$i.x, e);
  #end
  for (var next = 0u; next < eights;) {
    workgroupBarrier();
#import "mma_stage"
    workgroupBarrier();
    next += DEEP / 8u;
    if (next < eights) {
      e = eightOf(next + thread % (DEEP / 8u));
      #for i in 0..A_LOADS
      x$i = eightOfX(spot$i.at, spot$i.top, spot$i.left, e);
      #end
      #for i in 0..B_LOADS
      y$i = loadB(t.o + bq$i.x, e);
      #end
    }
#import "mma_multiply"
  }
  #if STATS
  let rows = min(16u * TALL, p.N * p.P * p.Q - min(t.pixel + row, p.N * p.P * p.Q));
  let place = ((t.pixel + row) / (16u * TALL) * p.O + t.o) / 4u;
  let holds = p.O - min(t.o, p.O);
  #endif
#import "mma_store"
}
