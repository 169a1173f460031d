enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dw as conv2d_dw computes it, on tensor cores (lib/matrix): an implicit matrix product over pixels of output channels
// by taps and
// channels, which are one axis k = (r, s, c) as they lie in dw, in steps of 32 pixels; the next step is under way while
// one is
// used. The sum runs over slices of `chunk` rows (n, p), added in order afterwards. C / groups and O / groups divide by
// 4.
#import "index"
#import "conv2d_dw"
#import "matrix"

@group(0) @binding(0) var<storage, read> b: array<vec4f>;     // x [N, H, W, C]
@group(0) @binding(1) var<storage, read> a: array<vec4f>;     // dy [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // dw [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

// The tile of a workgroup: its slice, and from an output channel and a place on the axis k within group g; pixels end
// there.
struct Tile { slice: u32, g: u32, o: u32, k: u32, end: u32 }

fn loadA(t: Tile, pixel: u32, along: u32) -> vec4f {
  let ok = (pixel < t.end) & (t.o + along < p.O / p.groups);
  return select(vec4f(), a[select(0u, (pixel * p.O + t.g * (p.O / p.groups) + t.o + along) / 4u, ok)], ok);
}

// `down` and `across` are where a thread's tap lies from a pixel, `k` its place on the axis.
fn loadB(t: Tile, pixel: u32, down: i32, across: i32, k: u32) -> vec4f {
  let row = u32(i32(pixel / p.Q % p.P * p.strideH) + down); // negative is huge
  let column = u32(i32(pixel % p.Q * p.strideW) + across);
  let ok = (pixel < t.end) & (k < p.R * p.S * (p.C / p.groups)) & (row < p.H) & (column < p.W);
  let at = ((pixel / (p.P * p.Q) * p.H + row) * p.W + column) * p.C + t.g * (p.C / p.groups) + k % (p.C / p.groups);
  return select(vec4f(), b[select(0u, at / 4u, ok)], ok);
}

fn placeOf(t: Tile, row: u32, column: u32) -> u32 {
  let K = p.R * p.S * (p.C / p.groups);
  let ok = (t.slice < p.slices) & (t.o + row < p.O / p.groups) & (t.k + column < K);
  return select(NOWHERE, (t.slice * p.O + t.g * (p.O / p.groups) + t.o + row) * K + t.k + column, ok);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Cg = p.C / p.groups;
  let K = p.R * p.S * Cg;
  let rowBlocks = (p.O / p.groups + 127u) / 128u;
  let blocks = (K + 127u) / 128u;
  let id = groupOf(group, groups);
  let slice = id / (p.groups * rowBlocks * blocks);
  let end = min((slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  let t = Tile(slice, id / (blocks * rowBlocks) % p.groups, id / blocks % rowBlocks * 128u, id % blocks * 128u, end);
#import "matrix_begin"
  let k = t.k + bq0.y; // the same for all of a thread's quads
  let down = i32(k / (p.S * Cg) * p.dilationH) - i32(p.padH);
  let across = i32(k / Cg % p.S * p.dilationW) - i32(p.padW);
  let begin = slice * p.chunk * p.Q;
  #for i in 0..4
  var x$i = loadA(t, begin + aq$i.x, aq$i.y);
  var y$i = loadB(t, begin + bq$i.x, down, across, k);
  #end
  for (var start = begin; start < end; start += 32u) {
#import "matrix_stage"
    #for i in 0..4
    x$i = loadA(t, start + 32u + aq$i.x, aq$i.y);
    y$i = loadB(t, start + 32u + bq$i.x, down, across, k);
    #end
#import "matrix_multiply"
  }
  let whole = (slice < p.slices) & (t.o + 128u <= p.O / p.groups) & (t.k + 128u <= K);
  let first = (slice * p.O + t.g * (p.O / p.groups) + t.o) * K + t.k;
  let stride = K;
#import "matrix_store"
}
