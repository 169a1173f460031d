// Sizes of a convolution, and the workgroups that each class of pixels has.
struct Params {
  N: u32, H: u32, W: u32, C: u32, O: u32, R: u32, S: u32, P: u32, Q: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32, groups: u32, groupsPerClass: u32,
}

// Pixels of dx with the same remainders modulo the stride: rows ≡ h, columns ≡ w. They meet the same taps.
struct Class { h: u32, w: u32, rows: u32, columns: u32, pixels: u32 }

// The class that workgroup g works for; past the last class (folded groups) there are no pixels.
fn classOf(g: u32) -> Class {
  let h = g / p.groupsPerClass / p.strideW;
  let w = g / p.groupsPerClass % p.strideW;
  let rows = (p.H + p.strideH - 1u - min(h, p.strideH - 1u)) / p.strideH;
  let columns = (p.W + p.strideW - 1u - w) / p.strideW;
  return Class(h, w, rows, columns, select(p.N * rows * columns, 0u, h >= p.strideH));
}

// Whether row r (column s) of the filter meets the class: h + pad - r·dilation ≡ 0 modulo the stride.
fn meetsRow(k: Class, r: u32) -> bool { return (k.h + p.padH + r * p.dilationH * (p.strideH - 1u)) % p.strideH == 0u; }
fn meetsColumn(k: Class, s: u32) -> bool {
  return (k.w + p.padW + s * p.dilationW * (p.strideW - 1u)) % p.strideW == 0u;
}

// What is added to a pixel's row (column) within its class to find its row (column) of dy.
fn rowOf(k: Class, r: u32) -> i32 { return (i32(k.h + p.padH) - i32(r * p.dilationH)) / i32(p.strideH); }
fn columnOf(k: Class, s: u32) -> i32 { return (i32(k.w + p.padW) - i32(s * p.dilationW)) / i32(p.strideW); }

// Steps are taps, and within a tap `chunks` of output channels: the first from `step` on whose tap the class meets.
fn nextStep(k: Class, step: u32, chunks: u32) -> u32 {
  var at = step;
  for (var tap = step / chunks; tap < p.R * p.S; tap++) {
    if (meetsRow(k, tap / p.S) & meetsColumn(k, tap % p.S)) { break; }
    at = (tap + 1u) * chunks;
  }
  return at;
}

// A pixel's picture, and its row and column within its class; a row far below 0 past the last.
struct Pixel { image: u32, row: i32, column: i32 }

fn pixelOf(k: Class, i: u32) -> Pixel {
  let columns = max(k.columns, 1u);
  let rows = max(k.rows, 1u);
  return Pixel(i / (rows * columns), select(-0x40000000, i32(i / columns % rows), i < k.pixels), i32(i % columns));
}

// Where dx has channel 0 of a pixel of a class.
fn placeIn(k: Class, q: Pixel) -> u32 {
  return ((q.image * p.H + u32(q.row) * p.strideH + k.h) * p.W + u32(q.column) * p.strideW + k.w) * p.C;
}

// Where dy has channel 0 of what a tap meets: `down` and `right` of a pixel's row and column; 0 where dy has none.
struct Tap { at: u32, inside: bool }

fn tapOf(q: Pixel, down: i32, right: i32) -> Tap {
  let row = u32(q.row + down); // negative is huge
  let column = u32(q.column + right);
  let inside = (row < p.P) & (column < p.Q);
  return Tap(select(0u, ((q.image * p.P + row) * p.Q + column) * p.O, inside), inside);
}

// A tile of dx: from a pixel of a class on and, within group g, a channel.
struct Tile { kind: Class, pixel: u32, g: u32, c: u32 }

// Tile `i` of a class, of `height` pixels by `width` channels of a group; channels, then groups, come first.
fn tileOf(kind: Class, i: u32, height: u32, width: u32) -> Tile {
  let blocks = (p.C / p.groups + width - 1u) / width;
  return Tile(kind, i / (p.groups * blocks) * height, i / blocks % p.groups, i % blocks * width);
}
