enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dw as conv2d_dw computes it, on tensor cores (lib/matrix).
// A workgroup computes 128 output channels by 128 places of the axis k = (r, s, c), as taps and channels lie in dw, in
// steps of 32 pixels; the next step is under way while one is used. The sum is cut into slices as in conv2d_dw. C /
// groups and O / groups divide by 4.
#import "index"
#import "conv2d_dw"
#import "matrix"

@group(0) @binding(0) var<storage, read> b: array<vec4f>;     // x [N, H, W, C]
@group(0) @binding(1) var<storage, read> a: array<vec4f>;     // dy [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // dw [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

fn loadA(t: Tile, pixel: u32, end: u32, along: u32) -> vec4f {
  let ok = (pixel < end) & (t.o + along < p.O / p.groups);
  return select(vec4f(), a[select(0u, (pixel * p.O + t.g * (p.O / p.groups) + t.o + along) / 4u, ok)], ok);
}

fn loadB(pixel: u32, end: u32, place: Place) -> vec4f {
  let tap = tapOf(pixel, place);
  return select(vec4f(), b[tap.at / 4u], tap.inside & (pixel < end));
}

fn placeOf(t: Tile, row: u32, column: u32) -> u32 {
  let K = p.R * p.S * (p.C / p.groups);
  let ok = (t.slice < p.slices) & (t.o + row < p.O / p.groups) & (t.part * 128u + column < K);
  return select(NOWHERE, (t.slice * p.O + t.g * (p.O / p.groups) + t.o + row) * K + t.part * 128u + column, ok);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let K = p.R * p.S * (p.C / p.groups);
  let t = tileOf(groupOf(group, groups), 128u, (K + 127u) / 128u);
  let begin = t.slice * p.chunk * p.Q;
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
#import "matrix_begin"
  let place = placeOfK(t.part * 128u + bq0.y, t.g); // the same for all of a thread's quads
  #for i in 0..4
  var x$i = loadA(t, begin + aq$i.x, end, aq$i.y);
  var y$i = loadB(begin + bq$i.x, end, place);
  #end
  for (var start = begin; start < end; start += 32u) {
#import "matrix_stage"
    #for i in 0..4
    x$i = loadA(t, start + 32u + aq$i.x, end, aq$i.y);
    y$i = loadB(start + 32u + bq$i.x, end, place);
    #end
#import "matrix_multiply"
  }
  let whole = (t.slice < p.slices) & (t.o + 128u <= p.O / p.groups) & (t.part * 128u + 128u <= K);
  let first = (t.slice * p.O + t.g * (p.O / p.groups) + t.o) * K + t.part * 128u;
  let stride = K;
#import "matrix_store"
}
