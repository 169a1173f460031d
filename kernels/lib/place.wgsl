// Where an operand's value for element i of a box is, by MODE: 0 at i, 1 one value for all, 2 in a plane of two axes,
// 4 along p.rank axes; 3 and 5 are as 2 and 4, where the last axis is stretched. In single values for an odd mode,
// for `spread`, else in V. Params has length, C (the last axis), rank and shape of the box. After "index".
fn place(i: u32, mode: u32, strides: array<vec4u, 2>) -> u32 {
  switch mode {
    case 0u: { return i; }
    case 1u: { return 0u; }
    case 2u, 3u: { return i / p.C * strides[0].x + i % p.C * strides[0].y; }
    default: { return stridedOffset(i, p.rank, p.shape, strides); }
  }
}
