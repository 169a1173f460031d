// y[to] = x[at] for every place of a box that lies in both by strides of its own.
// A thread copies up to `each` words of a row (lib/strided), as bits whatever their type. Slice, broadcast and
// concatenate are all this copy, as is what transposes strided_transpose cannot do.
override X_ONE: u32 = 0u; // 1 where x's last axis is stretched
#import "index"
#import "single"

@group(0) @binding(0) var<storage, read> x: array<U>;
@group(0) @binding(1) var<storage, read_write> y: array<U>;

fn element(_i: u32, at: u32, to: u32) {
  if (X_ONE == 1u) { y[to] = spreadWord(x[at / u32(WIDTH)], at); } else { y[to] = x[at]; }
}
#import "strided"
