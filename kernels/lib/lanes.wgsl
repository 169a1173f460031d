// Sums and largest values of the LANES neighbouring threads of a workgroup of THREADS that share a row; each of them
// gets the result. They add up blocks of 16, and then the blocks: the same order whatever the adapter's subgroups are,
// and three barriers.
const THREADS = 64u; // @tune
const BLOCK = min(LANES, 16u);
const BLOCKS = LANES / BLOCK;
var<workgroup> shares: array<vec2f, THREADS>;
var<workgroup> sharesOfBlocks: array<vec2f, THREADS / BLOCK>;

// Both sums. The barrier ahead is for the last use of the shares.
fn sumLanes(own: vec2f, lane: u32) -> vec2f {
  if (LANES == 1u) { return own; }
  workgroupBarrier();
  shares[lane] = own;
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < BLOCK; i++) { sum += shares[lane - lane % BLOCK + i]; }
  if (BLOCKS == 1u) { return sum; }
  if (lane % BLOCK == 0u) { sharesOfBlocks[lane / BLOCK] = sum; }
  workgroupBarrier();
  sum = vec2f();
  for (var i = 0u; i < BLOCKS; i++) { sum += sharesOfBlocks[lane / LANES * BLOCKS + i]; }
  return sum;
}

fn largestLane(own: f32, lane: u32) -> f32 {
  if (LANES == 1u) { return own; }
  workgroupBarrier();
  shares[lane].x = own;
  workgroupBarrier();
  var most = own;
  for (var i = 0u; i < BLOCK; i++) { most = max(most, shares[lane - lane % BLOCK + i].x); }
  if (BLOCKS == 1u) { return most; }
  if (lane % BLOCK == 0u) { sharesOfBlocks[lane / BLOCK].x = most; }
  workgroupBarrier();
  for (var i = 0u; i < BLOCKS; i++) { most = max(most, sharesOfBlocks[lane / LANES * BLOCKS + i].x); }
  return most;
}
