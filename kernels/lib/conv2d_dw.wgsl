// Sizes of a convolution, and how its sum over rows of pixels is cut: `slices` of `chunk` rows.
struct Params {
  N: u32, H: u32, W: u32, C: u32, O: u32, R: u32, S: u32, P: u32, Q: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32, groups: u32,
  chunk: u32, slices: u32,
}

// A tile of dw: its slice of the sum, from output channel `o` of group `g` on, part `part` of taps and channels.
struct Tile { slice: u32, g: u32, o: u32, part: u32 }

// Tile `i` of `height` output channels by one of `parts`; parts, then output channels, then groups come first.
fn tileOf(i: u32, height: u32, parts: u32) -> Tile {
  let blocks = (p.O / p.groups + height - 1u) / height;
  return Tile(i / (p.groups * blocks * parts), i / (parts * blocks) % p.groups, i / parts % blocks * height, i % parts);
}

// Where place k of the axis (r, s, c) of group g lies from a pixel's first tap: far above x past the last.
struct Place { down: i32, right: i32, c: u32 }

fn placeOfK(k: u32, g: u32) -> Place {
  let Cg = p.C / p.groups;
  let down = select(-0x40000000, i32(k / (p.S * Cg) * p.dilationH) - i32(p.padH), k < p.R * p.S * Cg);
  return Place(down, i32(k / Cg % p.S * p.dilationW) - i32(p.padW), g * Cg + k % Cg);
}

// Where x has what `place` is to a pixel of y; 0 where it is in the padding.
struct Tap { at: u32, inside: bool }

fn tapOf(pixel: u32, place: Place) -> Tap {
  let row = u32(i32(pixel / p.Q % p.P * p.strideH) + place.down); // negative is huge
  let column = u32(i32(pixel % p.Q * p.strideW) + place.right);
  let inside = (row < p.H) & (column < p.W);
  return Tap(select(0u, ((pixel / (p.P * p.Q) * p.H + row) * p.W + column) * p.C + place.c, inside), inside);
}
