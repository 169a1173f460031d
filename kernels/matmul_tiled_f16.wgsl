enable f16;
// c = a b as matmul_tiled computes it, from tiles staged as f16 (4 KB at most): factors are rounded to f16, the sum is
// f32.
// A workgroup computes a TILE × TILE block of c, each thread a 4×4 block in registers (lib/matmul_tiled).
const TILE = 64u; // @tune
const LOADS = 4u; // @tune
#import "index"
#import "matmul"
alias F = f16;
#import "matmul_tiled"

@compute @workgroup_size(LANES, LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_id) lane: vec3u, @builtin(local_invocation_index) thread: u32) {
#import "matmul_tiled_sums"
#import "matmul_store"
}
