// Sums over the p.tall threads of a workgroup of 256 that share columns, in order, for the first of them.
struct Sums { a: vec4f, b: vec4f }

var<workgroup> shares: array<Sums, 256>;

fn sumColumns(a: vec4f, b: vec4f, thread: u32, lanes: u32, tall: u32) -> Sums {
  workgroupBarrier(); // the last use of the shares is over
  shares[thread] = Sums(a, b);
  workgroupBarrier();
  var sums = Sums(a, b);
  for (var r = 1u; r < select(0u, tall, thread < lanes); r++) {
    sums.a += shares[thread + r * lanes].a;
    sums.b += shares[thread + r * lanes].b;
  }
  return sums;
}
