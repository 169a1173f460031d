enable subgroups;
// dw as conv2d_dw computes it, for adapters on which loads are dear: see conv2d_subgroup.
// A workgroup is one subgroup and computes one tap of LOADS × SUBGROUP output channels by COLUMNS × SUBGROUP channels
// in registers. A pixel costs it LOADS + COLUMNS loads, and each output channel's gradient comes to all threads by
// broadcast.
const SUBGROUP = 4u; // @tune
const LOADS = 4u; // @tune
const COLUMNS = 8u; // @tune: channels a thread owns, SUBGROUP apart
#import "index"
#import "conv2d_dw"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

// The first row (column) of y whose row of x, `shift` further than stride times its own, is in the picture; the one
// after the last.
fn firstUnder(shift: i32, stride: u32) -> u32 { return (u32(max(0, -shift)) + stride - 1u) / stride; }
fn endUnder(shift: i32, stride: u32, size: u32, most: u32) -> u32 {
  return select(0u, min(most, u32(max(0, i32(size) - 1 - shift)) / stride + 1u), shift < i32(size));
}

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let blocks = (Cg + COLUMNS * SUBGROUP - 1u) / (COLUMNS * SUBGROUP);
  let t = tileOf(groupOf(group, groups), LOADS * SUBGROUP, p.R * p.S * blocks);
  let own = t.part % blocks * COLUMNS * SUBGROUP + lane; // channel within the group
  let s = t.part / blocks % p.S;
  let r = t.part / (blocks * p.S);
  // Beyond the last channel the last is computed again and not stored.
  #for j in 0..COLUMNS
  let c$j = t.g * Cg + min(own + $ju * SUBGROUP, Cg - 1u);
  #end
#import "conv2d_dw_outer_begin"
  // Rows and columns of y under which the tap meets the picture. One loop walks them all: software adapters carry all
  // sums from iteration to iteration of every loop that they stand in, which at the end of a row would cost as much as
  // three pixels.
  let down = i32(r * p.dilationH) - i32(p.padH); // row of x under row 0 of y
  let shift = i32(s * p.dilationW) - i32(p.padW);
  let firstP = firstUnder(down, p.strideH);
  let endP = endUnder(down, p.strideH, p.H, p.P);
  let firstQ = firstUnder(shift, p.strideW);
  let endQ = endUnder(shift, p.strideW, p.W, p.Q);
  let firstRow = t.slice * p.chunk;
  let end = select(0u, min(firstRow + p.chunk, p.N * p.P), (firstP < endP) & (firstQ < endQ));
  var n = firstRow / p.P + select(0u, 1u, firstRow % p.P >= endP);
  var h = select(max(firstRow % p.P, firstP), firstP, firstRow % p.P >= endP); // row of y
  var q = firstQ;
  while (n * p.P + h < end) {
    let source = ((n * p.P + h) * p.Q + q) * p.O;
    let at = ((n * p.H + h * p.strideH + u32(down)) * p.W + q * p.strideW + u32(shift)) * p.C;
    #for j in 0..COLUMNS
    let value$j = x[at + c$j];
    #end
#import "conv2d_dw_outer"
    q++;
    let across = q == endQ;
    h += select(0u, 1u, across);
    q = select(q, firstQ, across);
    let past = h == endP;
    n += select(0u, 1u, past);
    h = select(h, firstP, past);
  }
  let start = (r * p.S + s) * Cg;
  let length = Cg;
#import "conv2d_dw_outer_store"
}
