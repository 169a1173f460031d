// y[yStart + i·yStrides] = x[xStart + i·xStrides] for every i of a box.
// Slice, broadcast and concatenate are all this copy, as is what transposes "strided_transpose" cannot do.
// Words are moved as bits, whatever their type.
override X_MODE: u32 = 4u; // see "place"
override Y_MODE: u32 = 4u;
#import "index"
#import "place"
#import "single"

struct Params {
  length: u32, C: u32, rank: u32, xStart: u32, yStart: u32, shape: array<vec4u, 2>, xStrides: array<vec4u, 2>, yStrides: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> x: array<U>;
@group(0) @binding(1) var<storage, read_write> y: array<U>;
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  let at = p.xStart + place(i, X_MODE, p.xStrides);
  let to = p.yStart + place(i, Y_MODE, p.yStrides);
  if (X_MODE % 2u == 1u) { y[to] = spreadWord(x[at / u32(WIDTH)], at); } else { y[to] = x[at]; }
}
#import "elements"
