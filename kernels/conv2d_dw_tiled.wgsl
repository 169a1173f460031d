// dw as conv2d_dw computes it, for adapters with real workgroup memory: an implicit matrix product over pixels of
// output channels
// by taps and channels, which are one axis k = (r, s, c) as they lie in dw, staged in workgroup memory (lib/tile) in
// steps of 16
// pixels; the next step is under way while one is used. The sum runs over slices of `chunk` rows (n, p), added in order
// afterwards. C / groups and O / groups divide by 4.
const SIDE = 8u; // @tune: 8 or 16
#import "index"
#import "conv2d_dw"
#import "tile"

@group(0) @binding(0) var<storage, read> x: array<vec4f>;       // [N, H, W, C]
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;      // [N, P, Q, O]
@group(0) @binding(2) var<storage, read_write> dw: array<vec4f>;// [slices, O, R, S, C / groups]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let Cg = p.C / p.groups;
  let Og = p.O / p.groups;
  let K = p.R * p.S * Cg;
  let rowBlocks = (Og + TILE - 1u) / TILE;
  let blocks = (K + TILE - 1u) / TILE;
  let id = groupOf(group, groups);
  let slice = id / (p.groups * rowBlocks * blocks);
  let k = id % blocks * TILE;
  let o = id / blocks % rowBlocks * TILE; // within the group
  let g = id / (blocks * rowBlocks) % p.groups;
  // This thread stages 4 output channels, 4 channels of a tap, or both, of 4 pixels; memory is read in its order.
  let quad = thread % TILE / BLOCKS;
  let block = thread % BLOCKS;
  let myO = o + block * 4u;
  let myK = k + block * 4u;
  let down = i32(myK / (p.S * Cg) * p.dilationH) - i32(p.padH);
  let across = i32(myK / Cg % p.S * p.dilationW) - i32(p.padW);
  #for i in 0..4
  var a$i: vec4f;
  var b$i: vec4f;
  #end
  #for i in 0..8
  var l$i = vec4f();
  var r$i = vec4f();
  #end
  let begin = slice * p.chunk * p.Q;
  let end = min((slice + 1u) * p.chunk, p.N * p.P) * p.Q;
  let steps = (max(end, begin) - begin + 15u) / 16u;
  for (var step = 0u; step <= steps; step++) {
    #for i in 0..4
    let pixel$i = begin + step * 16u + quad * 4u + $iu;
    #end
    if (thread < TILE) {
      #for i in 0..4
      let ok$i = (pixel$i < end) & (myO < Og);
      a$i = select(vec4f(), dy[select(0u, (pixel$i * p.O + g * Og + myO) / 4u, ok$i)], ok$i);
      #end
    }
    if (thread >= THREADS - TILE) {
      #for i in 0..4
      let h$i = u32(i32((pixel$i / p.Q) % p.P * p.strideH) + down); // negative is huge
      let v$i = u32(i32(pixel$i % p.Q * p.strideW) + across);
      let ok$i = (pixel$i < end) & (myK < K) & (h$i < p.H) & (v$i < p.W);
      let x$i = ((pixel$i / (p.P * p.Q) * p.H + h$i) * p.W + v$i) * p.C + g * Cg + myK % Cg;
      b$i = select(vec4f(), x[select(0u, x$i / 4u, ok$i)], ok$i);
      #end
    }
    if (step > 0u) {
#import "tile_multiply"
    }
#import "tile_stage"
  }
  let column = k + thread % SIDE * 4u;
  #for i in 0..8
  {
    let row = o + ($iu / 4u * SIDE + thread / SIDE) * 4u + $iu % 4u;
    let to = ((slice * p.O + g * Og + row) * K + column) / 4u;
    let ok = (slice < p.slices) & (row < Og);
    if (ok & (column < K)) { dw[to] = l$i; }
    if (ok & (column + 4u * SIDE < K)) { dw[to + SIDE] = r$i; }
  }
  #end
}
