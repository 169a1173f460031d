// c = a b, a workgroup computes a TILE × TILE block of c from tiles of 16 steps of k staged in workgroup
// memory (8 KB at most), each thread a 4×4 block in registers. For adapters with real workgroup memory; 32 where
// there are too few tiles of 64 to keep the adapter busy.
const TILE = 64u; // @tune
const LOADS = 4u; // @tune
#import "index"
#import "matmul"
alias F = f32;
#import "matmul_tiled"
