// How y's sum is walked in blocks, in steps of DEEP channels of one tap; memory is counted in UNIT neighbours.
// The first tap of a pixel, which may lie in the padding: its place in x, row and column. Far above x past the last.
struct Spot { at: u32, top: i32, left: i32 }

fn spotOf(pixel: u32, channel: u32) -> Spot {
  let q = pixelOf(pixel);
  let at = ((q.image + u32(q.top)) * p.W + u32(q.left)) * (p.C / UNIT) + channel / UNIT;
  return Spot(at, q.top, q.left);
}

// A step: a tap, channels from c on, and what it adds to a spot and to where an output channel begins in w.
struct Step { r: u32, s: u32, c: u32, down: i32, right: i32, x: u32, w: u32 }

fn stepAt(r: u32, s: u32, c: u32) -> Step {
  let down = r * p.dilationH;
  let right = s * p.dilationW;
  let x = (down * p.W + right) * (p.C / UNIT) + c / UNIT;
  return Step(r, s, c, i32(down), i32(right), x, (r * p.S + s) * (p.C / p.groups / UNIT) + c / UNIT);
}

fn stepOf(i: u32) -> Step {
  let each = (p.C / p.groups + DEEP - 1u) / DEEP; // steps a tap
  return stepAt(i / each / p.S, i / each % p.S, i % each * DEEP);
}

fn after(k: Step) -> Step {
  let sameTap = k.c + DEEP < p.C / p.groups;
  let sameRow = sameTap | (k.s + 1u < p.S);
  let s = select(select(0u, k.s + 1u, sameRow), k.s, sameTap);
  return stepAt(select(k.r + 1u, k.r, sameRow), s, select(0u, k.c + DEEP, sameTap));
}

fn stepsOf(t: Tile) -> u32 {
  let steps = p.R * p.S * ((p.C / p.groups + DEEP - 1u) / DEEP);
  return select(steps, 0u, t.pixel >= p.N * p.P * p.Q);
}

fn meets(q: Spot, k: Step) -> bool { return (u32(q.top + k.down) < p.H) & (u32(q.left + k.right) < p.W); }
