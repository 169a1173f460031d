enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dx as conv2d_dx computes it, by the remainders of pixels modulo the stride, on tensor cores (lib/matrix).
// A workgroup computes 128 pixels of a class by 128 channels, in steps of 32 output channels of one tap; the next step
// is under way while one is used. C / groups and O / groups divide by 4.
#import "index"
#import "conv2d_dx"
#import "matrix"

@group(0) @binding(0) var<storage, read> a: array<vec4f>;     // dy [N, P, Q, O]
@group(0) @binding(1) var<storage, read> b: array<vec4f>;     // w [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // dx [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

// Step k is a tap and 32 output channels of it.
fn chunks() -> u32 { return (p.O / p.groups + 31u) / 32u; }

fn loadA(t: Tile, q: Pixel, k: u32, along: u32) -> vec4f {
  let tap = k / chunks();
  let met = tapOf(q, rowOf(t.kind, tap / p.S), columnOf(t.kind, tap % p.S));
  let o = k % chunks() * 32u + along;
  let ok = met.inside & (o < p.O / p.groups) & (tap < p.R * p.S);
  return select(vec4f(), a[select(0u, (met.at + t.g * (p.O / p.groups) + o) / 4u, ok)], ok);
}

fn loadB(t: Tile, line: u32, k: u32, along: u32) -> vec4f {
  let tap = k / chunks();
  let o = k % chunks() * 32u + line;
  let ok = (o < p.O / p.groups) & (t.c + along < p.C / p.groups) & (tap < p.R * p.S);
  let at = ((t.g * (p.O / p.groups) + o) * p.R * p.S + tap) * (p.C / p.groups) + t.c + along;
  return select(vec4f(), b[select(0u, at / 4u, ok)], ok);
}

fn placeOf(t: Tile, row: u32, column: u32) -> u32 {
  let q = pixelOf(t.kind, t.pixel + row);
  let ok = (t.pixel + row < t.kind.pixels) & (t.c + column < p.C / p.groups);
  return select(NOWHERE, placeIn(t.kind, q) + t.g * (p.C / p.groups) + t.c + column, ok);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let id = groupOf(group, groups);
  let t = tileOf(classOf(id), id % p.groupsPerClass, 128u, 128u);
#import "matrix_begin"
  let steps = select(p.R * p.S * chunks(), 0u, t.pixel >= t.kind.pixels);
  var k = nextStep(t.kind, 0u, chunks());
  #for i in 0..4
  let pixel$i = pixelOf(t.kind, t.pixel + aq$i.x);
  var x$i = loadA(t, pixel$i, k, aq$i.y);
  var y$i = loadB(t, bq$i.x, k, bq$i.y);
  #end
  while (k < steps) {
#import "matrix_stage"
    k = nextStep(t.kind, k + 1u, chunks());
    #for i in 0..4
    x$i = loadA(t, pixel$i, k, aq$i.y);
    y$i = loadB(t, bq$i.x, k, bq$i.y);
    #end
#import "matrix_multiply"
  }
  let whole = (p.strideH * p.strideW == 1u) & (t.pixel + 128u <= t.kind.pixels) & (t.c + 128u <= p.C / p.groups);
  let first = t.pixel * p.C + t.g * (p.C / p.groups) + t.c;
  let stride = p.C;
#import "matrix_store"
}
