// Few channels are left of a reduction, and many chunks: a workgroup of 256 has 8 channels, and 32 threads for each of
// them, which take every 32nd chunk. Thread `lane` has channel lane % 8, and chunks from lane / 8 on.
var<workgroup> shares: array<vec2f, 256>;

// Both sums over the 32 threads of a channel, in order, for each of them.
fn sumTail(own: vec2f, lane: u32) -> vec2f {
  workgroupBarrier(); // the last use of the shares is over
  shares[lane] = own;
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < 32u; i++) { sum += shares[lane % 8u + i * 8u]; }
  return sum;
}
