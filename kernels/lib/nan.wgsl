// NaN as an f32: the value of a place that does not exist, so that nothing computed from it looks right. Its bits are
// made of a value that is known only at run time, since WGSL refuses a constant that is NaN.
fn nanOf(any: u32) -> f32 {
  return bitcast<f32>(any | 0x7fc00000u);
}
