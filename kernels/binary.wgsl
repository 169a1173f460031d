// y = f(a, b), element by element, with NumPy broadcasting.
// A thread takes up to `each` elements of a row (lib/strided), four at a time where both operands can be read so.
override A_ONE: u32 = 0u; // 1 where a's last axis is stretched
override B_ONE: u32 = 0u;
#import "index"
#import "single"
#import "special"
#import "combine"

@group(0) @binding(0) var<storage, read> a: array<V>;
@group(0) @binding(1) var<storage, read> b: array<V>;
@group(0) @binding(2) var<storage, read_write> y: array<V>;

fn element(i: u32, atA: u32, atB: u32) {
  var u: V;
  var v: V;
  if (A_ONE == 1u) { u = spread(a[atA / u32(WIDTH)], atA); } else { u = a[atA]; }
  if (B_ONE == 1u) { v = spread(b[atB / u32(WIDTH)], atB); } else { v = b[atB]; }
  y[i] = combine(u, v);
}
#import "strided"
