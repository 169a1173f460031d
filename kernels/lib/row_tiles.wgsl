// Tiles of rows in workgroup memory, for attention and InfoNCE: a workgroup keeps ROWS rows of one side and passes over
// the other side in tiles of COLUMNS. Thread (r, c) of SIDE × 8 owns rows r + SIDE i, i < 4; of a tile, columns c + 8
// k, k < EACH; of a result's row, the vec4s c + 8 j, j < WIDE. Lines in workgroup memory are a vec4 longer than a row:
// neighbouring threads read neighbouring lines, and meet other banks.
const D = 16u; // @tune: length of a row, divisible by 4
const ROWS = 32u; // @tune: divisible by 4
const COLUMNS = 16u; // @tune: 8 EACH
const EACH = 2u; // @tune
const WIDE = 1u; // @tune: ⌈D / 32⌉
const SIDE = ROWS / 4u;
const THREADS = 8u * SIDE;
const QUADS = D / 4u;
const LINE = QUADS + 1u;

var<workgroup> parts: array<vec4f, THREADS>; // [8, SIDE]: what the threads that share rows tell each other

// The largest of the 8 threads that share rows, in every one of them. The caller's last use of `parts` was before a
// barrier.
fn largest8(v: vec4f, r: u32, c: u32) -> vec4f {
  parts[c * SIDE + r] = v;
  workgroupBarrier();
  var top = v;
  #for i in 0..8
  top = max(top, parts[$iu * SIDE + r]);
  #end
  return top;
}

// Where vec4 `e` of a tile lies: lines are a vec4 longer than rows.
fn inLines(e: u32) -> u32 { return e / QUADS * LINE + e % QUADS; }

// Σ over the 8 threads that share rows, in their order.
fn shared8(v: vec4f, r: u32, c: u32) -> vec4f {
  workgroupBarrier();
  parts[c * SIDE + r] = v;
  workgroupBarrier();
  var sum = vec4f();
  for (var i = 0u; i < 8u; i++) { sum += parts[i * SIDE + r]; }
  return sum;
}
