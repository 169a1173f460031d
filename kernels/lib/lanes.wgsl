// Sums over the LANES neighbouring threads of a workgroup of 64 that share a row; each of them gets the sum.
// A tree over workgroup memory: the same order whatever the adapter's subgroups are.
var<workgroup> shares: array<vec2f, 64>;

fn sumLanes(own: vec2f, lane: u32) -> vec2f {
  if (LANES == 1u) { return own; }
  workgroupBarrier();
  shares[lane] = own;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane % LANES < half) { shares[lane] += shares[lane + half]; }
    workgroupBarrier();
  }
  return shares[lane - lane % LANES];
}
