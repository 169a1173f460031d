// Taps and channels as one axis, for few channels without dilation in a row or groups: a row of the filter is S C
// neighbours in w and in x. The axis is eights of them, the last of a row padded with zeros.
struct Eight { r: u32, at: u32 } // its row of the filter, and where it begins in that

fn eightsARow() -> u32 { return (p.S * p.C + 7u) / 8u; }
fn eightOf(i: u32) -> Eight { return Eight(i / eightsARow(), i % eightsARow() * 8u); }

// What eight `e` is of x (binding 0) as halves, for a pixel whose first tap in e's row of the filter is in `row` of its
// picture, `left` from its edge.
fn eightOfX(image: u32, row: i32, left: i32, e: Eight) -> vec4u {
  let ok = (u32(row) < p.H) & (e.r < p.R); // negative is huge
  let line = (image + u32(row)) * p.W * p.C;
  let length = select(0u, p.W * p.C, ok);
  #for k in 0..8
  let at$k = u32(left * i32(p.C) + i32(e.at) + $k);
  let ok$k = (at$k < length) & (e.at + $ku < p.S * p.C);
  let v$k = select(0.0, in0[select(0u, line + at$k, ok$k)], ok$k);
  #end
  return vec4u(halves(vec4f(v0, v1, v2, v3)), halves(vec4f(v4, v5, v6, v7)));
}
