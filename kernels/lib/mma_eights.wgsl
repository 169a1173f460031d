// Taps and channels as one axis, for few channels without dilation in a row or groups: a row of the filter is S C
// neighbours in w and in x. The axis is eights of them, the last of a row padded with zeros.
const UNIT = 1u; // what memory is counted in
struct Eight { r: u32, at: u32 } // its row of the filter, and where it begins in that

fn eightsARow() -> u32 { return (p.S * p.C + 7u) / 8u; }
fn eightOf(i: u32) -> Eight { return Eight(i / eightsARow(), i % eightsARow() * 8u); }

// What eight `e` is of x (binding 0) as halves: `at` is the place, `top` the row and `left` the column of a pixel's
// first tap.
fn eightOfX(at: u32, top: i32, left: i32, e: Eight) -> vec4u {
  let down = e.r * p.dilationH;
  let length = select(0u, p.W * p.C, (u32(top + i32(down)) < p.H) & (e.r < p.R)); // negative is huge
  let begin = left * i32(p.C) + i32(e.at);
  let to = at + down * p.W * p.C + e.at;
  #for k in 0..8
  let ok$k = (u32(begin + $k) < length) & (e.at + $ku < p.S * p.C);
  let v$k = select(0.0, in0[select(0u, to + $ku, ok$k)], ok$k);
  #end
  return vec4u(halves(vec4f(v0, v1, v2, v3)), halves(vec4f(v4, v5, v6, v7)));
}
