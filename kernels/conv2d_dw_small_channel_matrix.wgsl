enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dw as conv2d_dw computes it, for few channels, as a picture's three, on tensor cores (lib/mma, lib/mma_eights).
// A workgroup computes HEIGHT output channels by WIDTH places of the axis of taps and channels, in steps of DEEP
// pixels; x is read and dw written one by one. The next step is on its way to registers while one is used. The sum is
// cut into slices as in conv2d_dw. One group, and O divides by 8.
const F16_1 = 0u; // @tune: binding 1 is stored as f16
#import "index"
#import "conv2d_dw"
#import "mma"
#import "mma_eights"
#import "mma_second"
#import "conv2d_dw_spots"

@group(0) @binding(0) var<storage, read> in0: array<f32>; // x [N, H, W, C]
#if F16_1
@group(0) @binding(1) var<storage, read> in1: array<vec4u>; // dy [N, P, Q, O]
#else
@group(0) @binding(1) var<storage, read> in1: array<vec4f>;
#endif
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // dw [slices, O, R, S, C]
@group(1) @binding(0) var<uniform> p: Params;

fn loadB(q: vec4i, e: Eight) -> vec4u {
  let at = u32(q.x - i32((p.padH * p.W + p.padW) * p.C));
  return eightOfX(at, q.y - i32(p.padH), q.z - i32(p.padW), e);
}

fn keep(t: Tile, row: u32, column: u32, u: vec4f, v: vec4f) {
  let e = eightOf((t.part * WIDTH + column) / 8u);
  let at = (((t.slice * p.O + t.o + row) * p.R) + e.r) * p.S * p.C + e.at;
  let length = select(0u, p.S * p.C, (t.slice < p.slices) & (t.o + row < p.O) & (e.r < p.R));
  #for k in 0..4
  if (e.at + $ku < length) { out[at + $ku] = u[$k]; }
  #end
  #for k in 4..8
  if (e.at + $ku < length) { out[at + $ku] = v[$k - 4]; }
  #end
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, (p.R * eightsARow() * 8u + WIDTH - 1u) / WIDTH);
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  var next = t.slice * p.chunk * p.Q;
#import "mma_begin"
  // Output channels beyond the last repeat it: what they make is not stored.
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let aAt$i = min(t.o + aq$i.y, p.O - 8u) / 8u;
  var x$i: vec4u;
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  let e$i = eightOf((t.part * WIDTH + bq$i.y) / 8u);
  var y$i: vec4u;
  #end
  lookUp(thread, next + thread, end);
  workgroupBarrier();
  if (next < end) {
    #for i in 0..A_LOADS
    x$i = fetch1(pixelIn(next + aq$i.x) * (p.O / 8u) + aAt$i);
    #end
    #for i in 0..B_LOADS
    y$i = loadB(spots[bq$i.x], e$i);
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
      x$i = fetch1(pixelIn(next + aq$i.x) * (p.O / 8u) + aAt$i);
      #end
      #for i in 0..B_LOADS
      y$i = loadB(spots[bq$i.x], e$i);
      #end
    }
#import "mma_multiply"
  }
#import "mma_store"
}
