// For products on tensor cores, c = a b: factors rounded to f16, the sum f32. A workgroup of 8 subgroups of 32 computes 128×128
// of c from tiles of 32 steps of k staged as f16, a subgroup 64×32 of it as 4×2 matrices of 16×16. Tiles keep the order of
// memory (a transposed operand is loaded column-major) and their lines are padded by 16 bytes against bank conflicts.
const A_T = 0u; // @tune
const B_T = 0u; // @tune
const WHOLE = 1u; // @tune: 0 stores no tile as a whole: c of halves takes no sum of floats
const STATS = 0u; // @tune: 1 writes its tiles' statistics too
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
const A_K = A_T == 0u; // k is a's contiguous axis
const B_K = B_T == 1u;
const LONG = 136u;  // halves of a padded line of 128
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

#for s in 0..STATS
override HALF = 0u; // c is stored as halves

fn halfOf(v: f32) -> f32 { return select(v, quantizeToF16(v), HALF == 1u); }

// The sum of v over the two lanes that share a column of a 16×16 matrix, in each of them.
fn overLanes(v: f32, thread: u32) -> f32 {
  workgroupBarrier();
  edge[thread] = v;
  workgroupBarrier();
  let even = thread / 32u * 32u + thread % 16u;
  return edge[even] + edge[even + 16u];
}
#end
