// Linear positions in a dispatch whose groups are folded into x and y (65,535 a dimension at most).
fn groupOf(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}
