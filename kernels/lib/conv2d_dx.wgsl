// Sizes of a convolution, and the workgroups that each class of pixels has.
struct Params {
  N: u32, H: u32, W: u32, C: u32, O: u32, R: u32, S: u32, P: u32, Q: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32, groups: u32, groupsPerClass: u32,
}
