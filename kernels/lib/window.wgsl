// The windows of a pooling, for one thread an output or a pixel and channel. Neighbouring threads own neighbouring
// channels; what windows share comes from the cache. After "index".
struct Params {
  N: u32, H: u32, W: u32, C: u32, R: u32, S: u32, P: u32, Q: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

// Rows r0 .. r1 - 1 and columns s0 .. s1 - 1 of a window lie in the picture; there is one of each at least.
// The window starts at place `start` of x, modulo 2³²: it may begin in the padding.
struct Window { start: u32, r0: u32, r1: u32, s0: u32, s1: u32 }

// The window at (p·stride - pad, q·stride - pad) of element i of y, [N, P, Q, C].
fn windowOf(i: u32) -> Window {
  let top = i / (p.Q * p.C) % p.P * p.strideH;
  let left = i / p.C % p.Q * p.strideW;
  let start = ((i / (p.P * p.Q * p.C) * p.H + top - p.padH) * p.W + left - p.padW) * p.C + i % p.C;
  let r1 = min(p.R, p.H + p.padH - top);
  let s1 = min(p.S, p.W + p.padW - left);
  return Window(start, max(p.padH, top) - top, r1, max(p.padW, left) - left, s1);
}

// Where x has row r and column s of a window.
fn inWindow(w: Window, r: u32, s: u32) -> u32 {
  return w.start + (r * p.W + s) * p.C;
}

// The windows (a, b) that hold a pixel: a in p0 .. p1 - 1, b in q0 .. q1 - 1. h and w are its place in the padded
// picture, and window (a, b) is at start + (a Q + b) C of y.
struct Holders { start: u32, h: u32, w: u32, p0: u32, p1: u32, q0: u32, q1: u32 }

// The windows that hold element i of x, [N, H, W, C].
fn holdersOf(i: u32) -> Holders {
  let h = i / (p.W * p.C) % p.H + p.padH;
  let w = i / p.C % p.W + p.padW;
  let p0 = (max(h, p.R - 1u) - (p.R - 1u) + p.strideH - 1u) / p.strideH;
  let q0 = (max(w, p.S - 1u) - (p.S - 1u) + p.strideW - 1u) / p.strideW;
  let start = i / (p.H * p.W * p.C) * p.P * p.Q * p.C + i % p.C;
  return Holders(start, h, w, p0, min(h / p.strideH + 1u, p.P), q0, min(w / p.strideW + 1u, p.Q));
}
