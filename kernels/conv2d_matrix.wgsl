enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y as conv2d computes it, on tensor cores (lib/matrix).
// A workgroup computes 128 pixels by 128 output channels, in steps of 32 channels of one tap; the next step is under
// way while one is used. C / groups divides by 4.
#import "index"
#import "conv2d"
#import "matrix"

@group(0) @binding(0) var<storage, read> a: array<vec4f>;     // x [N, H, W, C]
@group(0) @binding(1) var<storage, read> b: array<vec4f>;     // w [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // y [N, P, Q, O]
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<f32>; // [tiles of 64 pixels, O], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<f32>;   // [tiles of 64 pixels, O]
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

// Step k is a tap and 32 channels of it.
fn numberOf(k: u32) -> u32 { return k / ((p.C / p.groups + 31u) / 32u); }
fn channelOf(k: u32) -> u32 { return k % ((p.C / p.groups + 31u) / 32u) * 32u; }

fn loadA(t: Tile, q: Pixel, k: u32, along: u32) -> vec4f {
  let tap = tapOf(q, numberOf(k) / p.S * p.dilationH, numberOf(k) % p.S * p.dilationW);
  let channel = channelOf(k) + along;
  let ok = tap.inside & (channel < p.C / p.groups) & (numberOf(k) < p.R * p.S);
  return select(vec4f(), a[select(0u, (tap.at + t.g * (p.C / p.groups) + channel) / 4u, ok)], ok);
}

fn loadB(t: Tile, line: u32, k: u32, along: u32) -> vec4f {
  let channel = channelOf(k) + along;
  let ok = (t.o + line < p.O / p.groups) & (channel < p.C / p.groups) & (numberOf(k) < p.R * p.S);
  let at = ((t.g * (p.O / p.groups) + t.o + line) * p.R * p.S + numberOf(k)) * (p.C / p.groups) + channel;
  return select(vec4f(), b[select(0u, at / 4u, ok)], ok);
}

fn placeOf(t: Tile, row: u32, column: u32) -> u32 {
  let ok = (t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O / p.groups);
  return select(NOWHERE, (t.pixel + row) * p.O + t.g * (p.O / p.groups) + t.o + column, ok);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), 128u, 128u);
#import "matrix_begin"
  #for i in 0..4
  let pixel$i = pixelOf(t.pixel + aq$i.x);
  var x$i = loadA(t, pixel$i, 0u, aq$i.y);
  var y$i = loadB(t, bq$i.x, 0u, bq$i.y);
  #end
  let steps = select(p.R * p.S * ((p.C / p.groups + 31u) / 32u), 0u, t.pixel >= p.N * p.P * p.Q);
  for (var k = 0u; k < steps; k++) {
#import "matrix_stage"
    #for i in 0..4
    x$i = loadA(t, pixel$i, k + 1u, aq$i.y);
    y$i = loadB(t, bq$i.x, k + 1u, bq$i.y);
    #end
#import "matrix_multiply"
  }
  let whole = (t.pixel + 128u <= p.N * p.P * p.Q) & (t.o + 128u <= p.O / p.groups);
  let first = t.pixel * p.O + t.g * (p.O / p.groups) + t.o;
  let stride = p.O;
  #if STATS
  let rows = min(64u, p.N * p.P * p.Q - min(t.pixel + row, p.N * p.P * p.Q));
  let at = column + thread % 16u;
  let place = (t.pixel + row) / 64u * p.O + t.g * (p.O / p.groups) + t.o + at;
  let holds = p.O / p.groups - min(t.o + at, p.O / p.groups);
  #endif
#import "matrix_store"
}
