// The `main` of an elementwise kernel, which writes element(i), for every i below `p.length`, which counts in V.
// A thread takes EACH that lie 64 apart: neighbouring threads touch neighbouring memory, with several loads under way.
const EACH = 4u; // @tune
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let start = groupOf(group, groups) * (64u * EACH) + lane;
  #for i in 0..EACH
  if (start + $iu * 64u < p.length) { element(start + $iu * 64u); }
  #end
}
