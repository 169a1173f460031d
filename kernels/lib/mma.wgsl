// For products on tensor cores, c = a b: factors are f16, sums f32. A workgroup computes HEIGHT × WIDTH of c, a
// subgroup of 32 TALL × WIDE matrices of 16 × 16 of it, from tiles of DEEP steps of k. Tiles keep the order of memory
// (a transposed operand is loaded column-major), hold 8 f16 an element, and their lines are padded by one element
// against bank conflicts.
const HEIGHT = 128u; // @tune
const WIDTH = 128u; // @tune
const DEEP = 32u; // @tune
const TALL = 4u; // @tune
const WIDE = 4u; // @tune
const SLICES = 2u; // @tune: DEEP / 16
const A_LOADS = 4u; // @tune: chunks of 8 that a thread stages, HEIGHT DEEP / 8 THREADS
const B_LOADS = 4u; // @tune: WIDTH DEEP / 8 THREADS
const A_T = 0u; // @tune
const B_T = 0u; // @tune
const BIAS = 0u; // @tune: 1 adds a bias to every row
const STATS = 0u; // @tune: 1 writes the statistics of a subgroup's rows too
const LOW = 0u; // @tune: 1 multiplies what halves leave of f32 too (lib/mma_f32)
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
const ACROSS = WIDTH / (16u * WIDE); // subgroups side by side
const THREADS = HEIGHT / (16u * TALL) * ACROSS * 32u;
const A_K = A_T == 0u; // k is a's contiguous axis
const B_K = B_T == 1u;
const A_LINE = select(HEIGHT, DEEP, A_K) / 8u + 1u;
const B_LINE = select(WIDTH, DEEP, B_K) / 8u + 1u;
const A_SIZE = select(DEEP, HEIGHT, A_K) * A_LINE;
const B_SIZE = select(DEEP, WIDTH, B_K) * B_LINE;
var<workgroup> aTile: array<vec4u, A_SIZE>;
var<workgroup> bTile: array<vec4u, B_SIZE>;
#if LOW
var<workgroup> aLow: array<vec4u, A_SIZE>;
var<workgroup> bLow: array<vec4u, B_SIZE>;
#endif
var<workgroup> edge: array<f32, 8u * THREADS>; // a matrix a subgroup, on its way to c

fn halves(v: vec4f) -> vec2u { return bitcast<vec2u>(vec4<f16>(v)); }

// 8 neighbours of an operand on their way to a tile.
#if LOW
struct Chunk { u: vec4f, v: vec4f }

fn chunk(u: vec4f, v: vec4f) -> Chunk { return Chunk(u, v); }

fn chunkOfHalves(x: vec4u) -> Chunk {
  return Chunk(vec4f(unpack2x16float(x.x), unpack2x16float(x.y)), vec4f(unpack2x16float(x.z), unpack2x16float(x.w)));
}

fn chunkIf(ok: bool, x: Chunk) -> Chunk { return Chunk(select(vec4f(), x.u, ok), select(vec4f(), x.v, ok)); }
#else
alias Chunk = vec4u;

fn chunk(u: vec4f, v: vec4f) -> Chunk { return vec4u(halves(u), halves(v)); }

fn chunkOfHalves(x: vec4u) -> Chunk { return x; }

fn chunkIf(ok: bool, x: Chunk) -> Chunk { return select(Chunk(), x, ok); }
#endif

// Chunk q of a tile: its line, and its place along it.
fn chunkOf(q: u32, k: bool, side: u32) -> vec2u {
  let across = select(side, DEEP, k) / 8u;
  return vec2u(q / across, q % across * 8u);
}

// What lib/column_stats asks for: a lane has row `lane / 2` of each of its subgroup's matrices, and 4 columns of it at
// a time.
#if STATS
alias V = vec4f;
const ROWS = 4u; // @tune: TALL

fn tileRow(i: u32, thread: u32) -> u32 { return i * 16u + thread % 32u / 2u; }

fn overRows(v: V, thread: u32) -> V {
  workgroupBarrier();
  aTile[thread] = bitcast<vec4u>(v); // the tiles have been used
  workgroupBarrier();
  var sum = V();
  for (var i = thread / 32u * 32u + thread % 2u; i < thread / 32u * 32u + 32u; i += 2u) { sum += bitcast<V>(aTile[i]); }
  return sum;
}
#endif
