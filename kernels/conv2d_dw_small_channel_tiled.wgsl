// dw as conv2d_dw_tiled computes it, for few channels, as a picture's three: x and dw are read and written one by one.
// A workgroup computes HEIGHT output channels by WIDTH places of k = (r, s, c), in steps of DEEP pixels. O / groups
// divides by 4.
const UNIT = 1u;
#import "index"
#import "conv2d_dw"
#import "blocks"
#import "conv2d_dw_spots"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;     // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

// Where the lines of a staged block, 4 pixels, are: of dy, whose channels beyond the last repeat it since what they
// make is not stored, or of four places of the axis.
struct Lines { at: u32, k0: Reach, k1: Reach, k2: Reach, k3: Reach }

fn linesOf(t: Tile, s: Block) -> Lines {
  let Og = p.O / p.groups;
  let k = t.part * WIDTH + s.side;
  let at = (t.g * Og + min(t.o + s.side, Og - 4u)) / 4u;
  return Lines(at, reachOf(k, t.g), reachOf(k + 1u, t.g), reachOf(k + 2u, t.g), reachOf(k + 3u, t.g));
}

fn loadX(q: vec4i, k: Reach) -> f32 {
  let ok = meets(q, k);
  return select(0.0, x[select(0u, u32(q.x + k.at), ok)], ok);
}

fn load(s: Block, l: Lines, next: u32) -> mat4x4f {
  var m: mat4x4f;
  if (s.isA) {
    #for i in 0..4
    m[$i] = dy[pixelIn(next + s.k + $iu) * (p.O / 4u) + l.at];
    #end
  } else if (s.has) {
    #for i in 0..4
    let q$i = spots[s.k + $iu];
    m[$i] = vec4f(loadX(q$i, l.k0), loadX(q$i, l.k1), loadX(q$i, l.k2), loadX(q$i, l.k3));
    #end
  }
  return m;
}

fn keep(t: Tile, row: u32, column: u32, v: vec4f) {
  let K = p.R * p.S * (p.C / p.groups);
  let k = t.part * WIDTH + column;
  let ok = (t.slice < p.slices) & (t.o + row < p.O / p.groups);
  let to = (t.slice * p.O + t.g * (p.O / p.groups) + t.o + row) * K + k;
  #for j in 0..4
  if (ok & (k + $ju < K)) { dw[to + $ju] = v[$j]; }
  #end
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), HEIGHT, (p.R * p.S * (p.C / p.groups) + WIDTH - 1u) / WIDTH);
#import "blocks_begin"
  #for i in 0..LOADS
  let lines$i = linesOf(t, s$i);
  #end
  let begin = t.slice * p.chunk * p.Q;
  let end = min((t.slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  lookUp(thread, begin + thread, end);
  workgroupBarrier();
  for (var next = begin; ; next += DEEP) {
    #for i in 0..LOADS
    x$i = load(s$i, lines$i, next);
    #end
    if (next > begin) {
#import "blocks_multiply"
    }
    if (next >= end) { break; }
    workgroupBarrier();
    #for i in 0..LOADS
    stage(s$i, x$i);
    #end
    lookUp(thread, next + DEEP + thread, end);
    workgroupBarrier();
  }
#import "blocks_store"
}
