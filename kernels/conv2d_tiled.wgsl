// y as conv2d computes it, for adapters with real workgroup memory (lib/blocks).
// A workgroup computes HEIGHT pixels by WIDTH output channels, an implicit matrix product in steps of DEEP channels of
// one tap. C / groups and O / groups divide by 4, so that memory is read, written and counted by vec4. A TAIL is where
// a tap's channels are not whole steps.
const TAIL = 0u; // @tune
const UNIT = 4u;
#import "index"
#import "conv2d"
#import "conv2d_steps"
#import "blocks"

@group(0) @binding(0) var<storage, read> x: array<vec4f>;      // [N, H, W, C]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;      // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;// [N, P, Q, O]
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // [tiles of pixels, O], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<vec4f>;   // [tiles of pixels, O]
#import "blocks_stats"
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

// The lines of a staged block: 4 pixels, or 4 output channels, of which those beyond the last repeat it: what they make
// is not stored.
struct Lines { at: vec4u, top: vec4i, left: vec4i }

fn linesOf(t: Tile, s: Block) -> Lines {
  var l: Lines;
  let Og = p.O / p.groups;
  let Cg = p.C / p.groups;
  if (s.isA) {
    #for i in 0..4
    let q$i = spotOf(t.pixel + s.side + $iu, t.g * Cg + s.k);
    #end
    l = Lines(vec4u(q0.at, q1.at, q2.at, q3.at), vec4i(q0.top, q1.top, q2.top, q3.top),
              vec4i(q0.left, q1.left, q2.left, q3.left));
  } else {
    let o = min(vec4u(t.o + s.side) + vec4u(0u, 1u, 2u, 3u), vec4u(Og - 1u));
    l.at = ((t.g * Og + o) * (p.R * p.S * Cg) + s.k) / UNIT;
  }
  return l;
}

fn load(s: Block, l: Lines, k: Step) -> mat4x4f {
  var m: mat4x4f;
  #if TAIL
  let has = k.c + s.k < p.C / p.groups;
  #else
  const has = true;
  #endif
  if (s.isA) {
    #for i in 0..4
    let ok$i = meets(Spot(l.at[$i], l.top[$i], l.left[$i]), k) & has;
    m[$i] = select(vec4f(), x[select(0u, l.at[$i] + k.x, ok$i)], ok$i);
    #end
  } else if (s.has) {
    #for i in 0..4
    m[$i] = select(vec4f(), w[select(0u, l.at[$i] + k.w, has)], has);
    #end
  }
  return m;
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let ok = (t.pixel + row < p.N * p.P * p.Q) & (t.o + column < p.O / p.groups);
  if (ok) { y[((t.pixel + row) * p.O + t.g * (p.O / p.groups) + t.o + column) / UNIT] = v; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, WIDTH);
#import "blocks_begin"
  #for i in 0..LOADS
  let lines$i = linesOf(t, s$i);
  #end
  let steps = stepsOf(t);
  var k = stepAt(0u, 0u, 0u);
  if (steps > 0u) {
    #for i in 0..LOADS
    x$i = load(s$i, lines$i, k);
    #end
  }
  for (var step = 1u; step <= steps; step++) {
    workgroupBarrier();
    #for i in 0..LOADS
    stage(s$i, x$i);
    #end
    workgroupBarrier();
    if (step < steps) {
      k = after(k);
      #for i in 0..LOADS
      x$i = load(s$i, lines$i, k);
      #end
    }
#import "blocks_multiply"
  }
  #if STATS
  let rows = min(HEIGHT, p.N * p.P * p.Q - min(t.pixel, p.N * p.P * p.Q));
  let place = (t.pixel / HEIGHT * p.O + t.g * (p.O / p.groups) + t.o) / 4u;
  let holds = p.O / p.groups - min(t.o, p.O / p.groups);
  #endif
#import "blocks_store"
}
