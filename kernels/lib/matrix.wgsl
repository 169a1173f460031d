// Products on tensor cores, c = a b: factors are rounded to f16, the sum is f32. A workgroup of 8 subgroups of 32
// computes 128×128 of c from tiles of 32 steps of k staged as f16, a subgroup 64×32 of it as 4×2 matrices of 16×16.
// Tiles have the order of memory (a transposed operand is loaded column-major), and their lines are padded by 16 bytes
// against bank conflicts.
const A_T = 0u; // @tune
const B_T = 0u; // @tune
const WHOLE = 1u; // @tune: 0 stores no tile as a whole: an f16 c takes no sum of floats
const STATS = 0u; // @tune: 1 writes the statistics of tiles of 64 rows too
const BIAS = 0u; // @tune: 1 adds a bias to every row of a product, WHOLE 0 only
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
const A_K = A_T == 0u; // k is a's contiguous axis
const B_K = B_T == 1u;
const LONG = 136u;  // f16 of a padded line of 128
const SHORT = 40u;  // and of 32
const A_LINE = select(LONG, SHORT, A_K);
const B_LINE = select(LONG, SHORT, B_K);
var<workgroup> aTile: array<f16, 5120>; // [128, SHORT] or [32, LONG]
var<workgroup> bTile: array<f16, 5120>;
var<workgroup> edge: array<f32, 2048>;  // a 16×16 matrix a subgroup, where c is not stored whole

// Quad q of 1024 of a tile: its line and its place along it.
fn lineOf(q: u32, k: bool) -> vec2u {
  return select(vec2u(q / 32u, q % 32u * 4u), vec2u(q / 8u, q % 8u * 4u), k);
}

const NOWHERE = 0xffffffffu;

// What lib/column_stats asks for: of 64 rows, which a subgroup holds, a lane has the even or the odd ones of a column.
#if STATS
alias V = f32;
const ROWS = 32u; // @tune

fn tileRow(i: u32, thread: u32) -> u32 { return i * 2u + thread % 32u / 16u; }

fn overRows(v: V, thread: u32) -> V {
  workgroupBarrier();
  edge[thread] = v;
  workgroupBarrier();
  let even = thread / 32u * 32u + thread % 16u;
  return edge[even] + edge[even + 16u];
}
#endif
