// c = a b, for adapters with real workgroup memory.
// A workgroup computes a TILE × TILE block of c from tiles of 16 steps of k staged in workgroup memory (8 KB at most),
// each thread a 4×4 block in registers (lib/matmul_tiled). TILE is 32 where there are too few tiles of 64 to keep the
// adapter busy.
const TILE = 64u; // @tune
const LOADS = 4u; // @tune
#import "index"
#import "matmul"
alias F = f32;
#import "matmul_tiled"

@compute @workgroup_size(LANES, LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) thread: u32) {
#import "matmul_tiled_sums"
#import "matmul_store"
}
