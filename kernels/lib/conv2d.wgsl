// Sizes of a convolution; P and Q are those of y.
struct Params {
  N: u32, H: u32, W: u32, C: u32, O: u32, R: u32, S: u32, P: u32, Q: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32, groups: u32,
}

// Where the first tap of a pixel of y lies in x, and its picture's first row; far above x past the last pixel.
struct Pixel { image: u32, top: i32, left: i32 }

fn pixelOf(i: u32) -> Pixel {
  let top = select(-0x40000000, i32((i / p.Q) % p.P * p.strideH) - i32(p.padH), i < p.N * p.P * p.Q);
  return Pixel(i / (p.P * p.Q) * p.H, top, i32(i % p.Q * p.strideW) - i32(p.padW));
}

// Where x has channel 0 of the tap that is `down` and `right` of a pixel's first; 0 where it is in the padding.
struct Tap { at: u32, inside: bool }

fn tapOf(q: Pixel, down: u32, right: u32) -> Tap {
  let row = u32(q.top + i32(down)); // negative is huge
  let column = u32(q.left + i32(right));
  let inside = (row < p.H) & (column < p.W);
  return Tap(select(0u, ((q.image + row) * p.W + column) * p.C, inside), inside);
}

// A tile of y: from a pixel on and, within group g, an output channel.
struct Tile { pixel: u32, g: u32, o: u32 }

// Tile `i` of `height` pixels by `width` output channels of a group; channels, then groups, come first.
fn tileOf(i: u32, height: u32, width: u32) -> Tile {
  let blocks = (p.O / p.groups + width - 1u) / width;
  return Tile(i / (p.groups * blocks) * height, i / blocks % p.groups, i % blocks * width);
}
