// y as conv2d_tiled computes it, for few channels, as a picture's three: x and w are read one by one.
// A workgroup computes HEIGHT pixels by WIDTH output channels over the axis k = (r, s, c), as taps and channels lie in
// w, in steps of DEEP. O / groups divides by 4.
#import "index"
#import "conv2d"
#import "blocks"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<f32>;        // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;// [N, P, Q, O]
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of pixels, O], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of pixels, O]
#import "blocks_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

struct Lines { q0: Pixel, q1: Pixel, q2: Pixel, q3: Pixel }

fn linesOf(t: Tile, s: Block) -> Lines {
  let i = t.pixel + s.side;
  return Lines(pixelOf(i), pixelOf(i + 1u), pixelOf(i + 2u), pixelOf(i + 3u));
}

fn loadX(q: Pixel, g: u32, k: u32) -> f32 {
  let Cg = p.C / p.groups;
  let tap = tapOf(q, k / Cg / p.S * p.dilationH, k / Cg % p.S * p.dilationW);
  let ok = tap.inside & (k < p.R * p.S * Cg);
  return select(0.0, x[select(0u, tap.at + g * Cg + k % Cg, ok)], ok);
}

fn loadW(t: Tile, line: u32, k: u32) -> f32 {
  let K = p.R * p.S * (p.C / p.groups);
  let ok = (t.o + line < p.O / p.groups) & (k < K);
  return select(0.0, w[select(0u, (t.g * (p.O / p.groups) + t.o + line) * K + k, ok)], ok);
}

fn load(t: Tile, s: Block, l: Lines, next: u32) -> mat4x4f {
  var m: mat4x4f;
  let k = next + s.k;
  if (s.isA) {
    #for i in 0..4
    let q$i = l.q$i;
    m[$i] = vec4f(loadX(q$i, t.g, k), loadX(q$i, t.g, k + 1u), loadX(q$i, t.g, k + 2u), loadX(q$i, t.g, k + 3u));
    #end
  } else if (s.has) {
    #for i in 0..4
    let o$i = s.side + $iu;
    m[$i] = vec4f(loadW(t, o$i, k), loadW(t, o$i, k + 1u), loadW(t, o$i, k + 2u), loadW(t, o$i, k + 3u));
    #end
  }
  return m;
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let ok = (t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O / p.groups);
  if (ok) { y[((t.pixel + row) * p.O + t.g * (p.O / p.groups) + t.o + column) / 4u] = v; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
#import "blocks_begin"
  #for i in 0..LOADS
  let lines$i = linesOf(t, s$i);
  #end
  let end = select(p.R * p.S * (p.C / p.groups), 0u, t.pixel >= p.N * p.P * p.Q);
  for (var next = 0u; ; next += DEEP) {
    #for i in 0..LOADS
    x$i = load(t, s$i, lines$i, next);
    #end
    if (next > 0u) {
#import "blocks_multiply"
    }
    if (next >= end) { break; }
    workgroupBarrier();
    #for i in 0..LOADS
    stage(s$i, x$i);
    #end
    workgroupBarrier();
  }
  #if STATS
  let rows = min(HEIGHT, p.N * p.P * p.Q - min(t.pixel, p.N * p.P * p.Q));
  let place = (t.pixel / HEIGHT * p.O + t.g * (p.O / p.groups) + t.o) / 4u;
  let holds = p.O / p.groups - min(t.o, p.O / p.groups);
  #endif
#import "blocks_store"
}
