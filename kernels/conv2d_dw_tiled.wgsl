// dw as conv2d_dw computes it, for adapters with real workgroup memory (lib/blocks).
// A workgroup computes HEIGHT output channels by WIDTH places of the axis k = (r, s, c), as taps and channels lie in
// dw, in steps of DEEP pixels. The sum is cut into slices as in conv2d_dw. C / groups and O / groups divide by 4, so
// that memory is read, written and counted by vec4.
const UNIT = 4u;
#import "index"
#import "conv2d_dw"
#import "blocks"
#import "conv2d_dw_spots"

@group(0) @binding(0) var<storage, read> x: array<vec4f>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;      // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<vec4f>;// [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

// Where the lines of a staged block, 4 pixels, are: of dy, whose channels beyond the last repeat it since what they
// make is not stored, or of a place of the axis.
struct Lines { at: u32, reach: Reach }

fn linesOf(t: Tile, s: Block) -> Lines {
  let Og = p.O / p.groups;
  return Lines((t.g * Og + min(t.o + s.side, Og - UNIT)) / UNIT, reachOf(t.part * WIDTH + s.side, t.g));
}

fn load(s: Block, l: Lines, next: u32) -> mat4x4f {
  var m: mat4x4f;
  if (s.isA) {
    #for i in 0..4
    m[$i] = dy[pixelIn(next + s.k + $iu) * (p.O / UNIT) + l.at];
    #end
  } else if (s.has) {
    #for i in 0..4
    let q$i = spots[s.k + $iu];
    let ok$i = meets(q$i, l.reach);
    m[$i] = select(vec4f(), x[select(0u, u32(q$i.x + l.reach.at), ok$i)], ok$i);
    #end
  }
  return m;
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let K = p.R * p.S * (p.C / p.groups);
  let ok = (t.slice < p.slices) & (t.o + row < p.O / p.groups) & (t.part * WIDTH + column < K);
  if (ok) { dw[((t.slice * p.O + t.g * (p.O / p.groups) + t.o + row) * K + t.part * WIDTH + column) / UNIT] = v; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, (p.R * p.S * (p.C / p.groups) + WIDTH - 1u) / WIDTH);
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  var next = t.slice * p.chunk * p.Q;
#import "blocks_begin"
  #for i in 0..LOADS
  let lines$i = linesOf(t, s$i);
  #end
  lookUp(thread, next + thread, end);
  workgroupBarrier();
  if (next < end) {
    #for i in 0..LOADS
    x$i = load(s$i, lines$i, next);
    #end
  }
  for (; next < end;) {
    workgroupBarrier();
    #for i in 0..LOADS
    stage(s$i, x$i);
    #end
    next += DEEP;
    lookUp(thread, next + thread, end);
    workgroupBarrier();
    if (next < end) {
      #for i in 0..LOADS
      x$i = load(s$i, lines$i, next);
      #end
    }
#import "blocks_multiply"
  }
#import "blocks_store"
}
