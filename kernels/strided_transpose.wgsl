// y[b, c, r] = x[b, r, c], words as bits.
// One thread transposes a 4×4 tile in registers. A workgroup owns 8×8 tiles, so that both its loads and its stores are
// runs of 128 bytes. Everything is counted in vec4s but rows of x and of y.
#import "index"

alias U = vec4u;

struct Params { batch: u32, R: u32, C: u32, xStart: u32, yStart: u32, xBatch: u32, xRow: u32 }

@group(0) @binding(0) var<storage, read> x: array<U>;       // [batch, 4 R, C], rows xRow and matrices xBatch apart
@group(0) @binding(1) var<storage, read_write> y: array<U>; // [batch, 4 C, R]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let g = groupOf(group, groups);
  let across = (p.C + 7u) / 8u;
  let down = (p.R + 7u) / 8u;
  let c = g % across * 8u + lane % 8u;
  let r = g / across % down * 8u + lane / 8u;
  let b = g / (across * down);
  if (b >= p.batch || r >= p.R || c >= p.C) { return; }
  let at = p.xStart + b * p.xBatch + 4u * r * p.xRow + c;
  let to = p.yStart + (b * p.C + c) * 4u * p.R + r;
  #for k in 0..4
  let row$k = x[at + $ku * p.xRow];
  #end
  #for k in 0..4
  y[to + $ku * p.R] = U(row0[$k], row1[$k], row2[$k], row3[$k]);
  #end
}
