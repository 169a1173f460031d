// How dx's sum is walked in blocks, in steps of DEEP output channels of one tap; memory is counted in UNIT neighbours.
// The taps that meet a class of pixels: `rows` × `columns` from (r, s) on, rStep and sStep apart. The first finds dy
// `down` and `right` of a pixel's row and column within its class, each next `up` (`left`) of the one before.
struct Taps {
  rows: u32, columns: u32, r: u32, s: u32, rStep: u32, sStep: u32, down: i32, right: i32, up: i32, left: i32,
}

fn tapsOf(k: Class) -> Taps {
  var t = Taps(0u, 0u, 0u, 0u, 1u, 1u, 0, 0, 0, 0);
  while ((t.r < p.R) & !meetsRow(k, t.r)) { t.r++; }
  while ((t.s < p.S) & !meetsColumn(k, t.s)) { t.s++; }
  while (t.rStep * p.dilationH % p.strideH != 0u) { t.rStep++; }
  while (t.sStep * p.dilationW % p.strideW != 0u) { t.sStep++; }
  t.rows = (p.R - t.r + t.rStep - 1u) / t.rStep;
  t.columns = (p.S - t.s + t.sStep - 1u) / t.sStep;
  t.down = rowOf(k, t.r);
  t.right = columnOf(k, t.s);
  t.up = i32(t.rStep * p.dilationH / p.strideH);
  t.left = i32(t.sStep * p.dilationW / p.strideW);
  return t;
}

// A pixel of a class: its place in dy, row and column. Far above dy past the last.
struct Spot { at: u32, top: i32, left: i32 }

fn spotOf(k: Class, pixel: u32, channel: u32) -> Spot {
  let q = pixelOf(k, pixel);
  let at = ((q.image * p.P + u32(q.row)) * p.Q + u32(q.column)) * (p.O / UNIT) + channel / UNIT;
  return Spot(at, q.row, q.column);
}

// A step: the tap in row i and column j of them, output channels from o on, and what it adds to a spot and to where an
// output channel begins in w.
struct Step { i: u32, j: u32, o: u32, down: i32, right: i32, dy: u32, w: u32 }

fn stepAt(t: Taps, i: u32, j: u32, o: u32) -> Step {
  let down = t.down - i32(i) * t.up;
  let right = t.right - i32(j) * t.left;
  let dy = u32(down * i32(p.Q) + right) * (p.O / UNIT) + o / UNIT;
  let tap = (o * p.R + t.r + i * t.rStep) * p.S + t.s + j * t.sStep;
  return Step(i, j, o, down, right, dy, tap * (p.C / p.groups / UNIT));
}

fn stepOf(t: Taps, i: u32) -> Step {
  let each = (p.O / p.groups + DEEP - 1u) / DEEP; // steps a tap
  return stepAt(t, i / each / t.columns, i / each % t.columns, i % each * DEEP);
}

fn after(t: Taps, k: Step) -> Step {
  let sameTap = k.o + DEEP < p.O / p.groups;
  let sameRow = sameTap | (k.j + 1u < t.columns);
  let j = select(select(0u, k.j + 1u, sameRow), k.j, sameTap);
  return stepAt(t, select(k.i + 1u, k.i, sameRow), j, select(0u, k.o + DEEP, sameTap));
}

fn stepsOf(t: Tile, met: Taps) -> u32 {
  let steps = met.rows * met.columns * ((p.O / p.groups + DEEP - 1u) / DEEP);
  return select(steps, 0u, t.pixel >= t.kind.pixels);
}

fn meets(q: Spot, k: Step) -> bool { return (u32(q.top + k.down) < p.P) & (u32(q.left + k.right) < p.Q); }
