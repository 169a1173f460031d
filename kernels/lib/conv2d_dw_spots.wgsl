// How dw's sum is walked in blocks, in steps of DEEP pixels, each of which one thread looks up for all; memory is
// counted in UNIT neighbours. A spot is where a pixel's taps begin in x without padding: its place, row and column. Far
// above x from the end of the sum on, so that pixels there count for nothing.
var<workgroup> spots: array<vec4i, DEEP>;

fn spotIn(pixel: u32, end: u32) -> vec4i {
  let row = pixel / p.Q % p.P * p.strideH;
  let column = pixel % p.Q * p.strideW;
  let at = ((pixel / (p.P * p.Q) * p.H + row) * p.W + column) * (p.C / UNIT);
  return vec4i(i32(at), select(-0x40000000, i32(row), pixel < end), i32(column), 0);
}

fn lookUp(thread: u32, pixel: u32, end: u32) {
  if (thread < DEEP) { spots[thread] = spotIn(pixel, end); }
}

// What a place of the axis (r, s, c) adds to a spot.
struct Reach { at: i32, down: i32, right: i32 }

fn reachOf(k: u32, g: u32) -> Reach {
  let q = placeOfK(k, g);
  return Reach((q.down * i32(p.W) + q.right) * i32(p.C / UNIT) + i32(q.c / UNIT), q.down, q.right);
}

fn meets(q: vec4i, k: Reach) -> bool { return (u32(q.y + k.down) < p.H) & (u32(q.z + k.right) < p.W); }

// A pixel of dy: from the last on it again.
fn pixelIn(pixel: u32) -> u32 { return min(pixel, p.N * p.P * p.Q - 1u); }
