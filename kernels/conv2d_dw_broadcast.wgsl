enable subgroups;
// dw as conv2d_dw computes it, for adapters on which loads are dear: see conv2d_broadcast. A workgroup is one subgroup and
// computes one tap of LOADS × SUBGROUP output channels by COLUMNS × SUBGROUP channels in registers: a pixel costs it
// LOADS + COLUMNS loads, and each output channel's gradient comes to all threads by broadcast.
const SUBGROUP = 4u; // @tune
const LOADS = 4u; // @tune
const COLUMNS = 8u; // @tune: channels a thread owns, SUBGROUP apart
#import "index"
#import "conv2d_dw"

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>; // [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let rowBlocks = (Og + LOADS * SUBGROUP - 1u) / (LOADS * SUBGROUP);
  let blocks = (Cg + COLUMNS * SUBGROUP - 1u) / (COLUMNS * SUBGROUP);
  let i = groupOf(group, groups);
  let slice = i / (p.groups * rowBlocks * p.R * p.S * blocks);
  let c = (i % blocks) * COLUMNS * SUBGROUP + lane; // within the group
  let s = (i / blocks) % p.S;
  let r = (i / (blocks * p.S)) % p.R;
  let o = (i / (blocks * p.S * p.R)) % rowBlocks * LOADS * SUBGROUP; // within the group
  let g = (i / (blocks * p.S * p.R * rowBlocks)) % p.groups;
  // Beyond the last channel the last is computed again and not stored.
  #for j in 0..COLUMNS
  let c$j = g * Cg + min(c + $ju * SUBGROUP, Cg - 1u);
  #end
  #for k in 0..LOADS
  let o$k = g * Og + min(o + $ku * SUBGROUP + lane, Og - 1u);
  #for b in 0..SUBGROUP
  #for j in 0..COLUMNS
  var total$k_$b_$j = 0.0;
  #end
  #end
  #end
  let shift = i32(s * p.dilationW) - i32(p.padW); // column of x under column 0 of y
  let firstQ = (max(0, -shift) + i32(p.strideW) - 1) / i32(p.strideW);
  var endQ = 0;
  if (shift < i32(p.W)) { endQ = min(i32(p.Q), (i32(p.W) - 1 - shift) / i32(p.strideW) + 1); }
  for (var row = slice * p.chunk; row < min((slice + 1u) * p.chunk, p.N * p.P); row++) {
    let h = i32(row % p.P * p.strideH + r * p.dilationH) - i32(p.padH);
    if (h < 0 || h >= i32(p.H)) { continue; }
    var source = (row * p.Q + u32(firstQ)) * p.O;
    var at = ((row / p.P * p.H + u32(h)) * p.W + u32(firstQ * i32(p.strideW) + shift)) * p.C;
    for (var q = firstQ; q < endQ; q++) {
      #for j in 0..COLUMNS
      let value$j = x[at + c$j];
      #end
      #for k in 0..LOADS
      let mine$k = dy[source + o$k];
      #for b in 0..SUBGROUP
      let d$k_$b = subgroupBroadcast(mine$k, $bu);
      #for j in 0..COLUMNS
      total$k_$b_$j = fma(d$k_$b, value$j, total$k_$b_$j);
      #end
      #end
      #end
      source += p.O;
      at += p.strideW * p.C;
    }
  }
  if (slice >= p.slices) { return; }
  #for k in 0..LOADS
  #for b in 0..SUBGROUP
  if (o + $ku * SUBGROUP + $bu < Og) {
    let to = (((slice * p.O + g * Og + o + $ku * SUBGROUP + $bu) * p.R + r) * p.S + s) * Cg + c;
    #for j in 0..COLUMNS
    if (c + $ju * SUBGROUP < Cg) { dw[to + $ju * SUBGROUP] = total$k_$b_$j; }
    #end
  }
  #end
  #end
}
