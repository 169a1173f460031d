// Sizes of a convolution; P and Q are those of y.
struct Params {
  N: u32, H: u32, W: u32, C: u32, O: u32, R: u32, S: u32, P: u32, Q: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32, groups: u32,
}

// Where the first tap of a pixel lies in x, and its picture's first row; far above x past the last pixel.
struct Pixel { image: u32, top: i32, left: i32 }

fn pixelOf(i: u32) -> Pixel {
  let top = select(-0x40000000, i32((i / p.Q) % p.P * p.strideH) - i32(p.padH), i < p.N * p.P * p.Q);
  return Pixel(i / (p.P * p.Q) * p.H, top, i32(i % p.Q * p.strideW) - i32(p.padW));
}
