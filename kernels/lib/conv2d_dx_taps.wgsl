// The taps that meet a class of pixels: `rows` × `columns` from (r, s) on, rStep and sStep apart. The first finds dy
// `down` and `right` of a pixel's row and column within its class, each next `up` (`left`) of the one before.
struct Taps {
  rows: u32, columns: u32, r: u32, s: u32, rStep: u32, sStep: u32, down: i32, right: i32, up: u32, left: u32,
}

fn tapsOf(k: Class) -> Taps {
  var t = Taps(0u, 0u, 0u, 0u, 1u, 1u, 0, 0, 0u, 0u);
  while ((t.r < p.R) & !meetsRow(k, t.r)) { t.r++; }
  while ((t.s < p.S) & !meetsColumn(k, t.s)) { t.s++; }
  while (t.rStep * p.dilationH % p.strideH != 0u) { t.rStep++; }
  while (t.sStep * p.dilationW % p.strideW != 0u) { t.sStep++; }
  t.rows = (p.R - t.r + t.rStep - 1u) / t.rStep;
  t.columns = (p.S - t.s + t.sStep - 1u) / t.sStep;
  t.down = rowOf(k, t.r);
  t.right = columnOf(k, t.s);
  t.up = t.rStep * p.dilationH / p.strideH;
  t.left = t.sStep * p.dilationW / p.strideW;
  return t;
}

// A step: the tap in row i and column j of them, and output channels from o on.
struct Step { i: u32, j: u32, o: u32 }

fn after(t: Taps, k: Step, deep: u32) -> Step {
  let sameTap = k.o + deep < p.O / p.groups;
  let sameRow = sameTap | (k.j + 1u < t.columns);
  let j = select(select(0u, k.j + 1u, sameRow), k.j, sameTap);
  return Step(select(k.i + 1u, k.i, sameRow), j, select(0u, k.o + deep, sameTap));
}
