// dx as conv2d_dx computes it, by the remainders of pixels modulo the stride, for adapters with real workgroup memory
// (lib/blocks).
// A workgroup computes HEIGHT pixels of a class by WIDTH channels, in steps of DEEP output channels of one tap. C /
// groups and O / groups divide by 4, so that memory is read, written and counted by vec4. A TAIL is where a tap's
// output channels are not whole steps.
const TAIL = 0u; // @tune
const UNIT = 4u;
#import "index"
#import "conv2d_dx"
#import "conv2d_dx_steps"
#import "blocks"

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;      // [N, P, Q, O]
@group(0) @binding(1) var<storage, read> w: array<vec4f>;       // [O, R, S, C / groups]
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;// [N, H, W, C]
@group(1) @binding(0) var<uniform> p: Params;

// The lines of a staged block: 4 pixels, or 4 output channels of 4 channels, of which those beyond the last repeat it:
// what they make is not stored.
struct Lines { at: vec4u, top: vec4i, left: vec4i }

fn linesOf(t: Tile, s: Block) -> Lines {
  var l: Lines;
  let Og = p.O / p.groups;
  let Cg = p.C / p.groups;
  if (s.isA) {
    #for i in 0..4
    let q$i = spotOf(t.kind, t.pixel + s.side + $iu, t.g * Og + s.k);
    #end
    l = Lines(vec4u(q0.at, q1.at, q2.at, q3.at), vec4i(q0.top, q1.top, q2.top, q3.top),
              vec4i(q0.left, q1.left, q2.left, q3.left));
  } else {
    let o = t.g * Og + s.k + vec4u(0u, 1u, 2u, 3u);
    l.at = (o * (p.R * p.S * Cg) + min(t.c + s.side, Cg - UNIT)) / UNIT;
  }
  return l;
}

fn load(s: Block, l: Lines, k: Step) -> mat4x4f {
  var m: mat4x4f;
  #if TAIL
  let has = k.o + s.k < p.O / p.groups; // all four, or none
  #else
  const has = true;
  #endif
  if (s.isA) {
    #for i in 0..4
    let ok$i = meets(Spot(l.at[$i], l.top[$i], l.left[$i]), k) & has;
    m[$i] = select(vec4f(), dy[select(0u, l.at[$i] + k.dy, ok$i)], ok$i);
    #end
  } else if (s.has) {
    #for i in 0..4
    m[$i] = select(vec4f(), w[select(0u, l.at[$i] + k.w, has)], has);
    #end
  }
  return m;
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  var at = (t.pixel + row) * p.C;
  if (p.strideH * p.strideW > 1u) { at = placeIn(t.kind, pixelOf(t.kind, t.pixel + row)); }
  let ok = (t.pixel + row < t.kind.pixels) & (t.c + column < p.C / p.groups);
  if (ok) { dx[(at + t.g * (p.C / p.groups) + t.c + column) / UNIT] = v; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let id = groupOf(group, groups);
  let t = tileOf(classOf(id), id % p.groupsPerClass, HEIGHT, WIDTH);
  let met = tapsOf(t.kind);
#import "blocks_begin"
  #for i in 0..LOADS
  let lines$i = linesOf(t, s$i);
  #end
  let steps = stepsOf(t, met);
  var k = stepAt(met, 0u, 0u, 0u);
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
      k = after(met, k);
      #for i in 0..LOADS
      x$i = load(s$i, lines$i, k);
      #end
    }
#import "blocks_multiply"
  }
#import "blocks_store"
}
