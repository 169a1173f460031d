// Linear positions in a dispatch whose groups are folded into x and y (65,535 a dimension at most).
fn groupOf(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}

// Splits a row-major position into coordinates over `shape` (rank axes) and dots them with `strides`.
// Both are held in two vec4u, axis i at [i / 4][i % 4].
fn stridedOffset(position: u32, rank: u32, shape: array<vec4u, 2>, strides: array<vec4u, 2>) -> u32 {
  var rest = position;
  var offset = 0u;
  for (var i = rank; i > 0u; i--) {
    let axis = i - 1u;
    let size = shape[axis / 4u][axis % 4u];
    offset += (rest % size) * strides[axis / 4u][axis % 4u];
    rest /= size;
  }
  return offset;
}
