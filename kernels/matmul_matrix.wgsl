enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// c = a b on tensor cores: factors rounded to f16, the sum f32. A workgroup of 8 subgroups of 32 computes 128×128 of c from
// tiles of 32 steps of k staged as f16, a subgroup 64×32 of it as 4×2 matrices of 16×16. Tiles keep the order of
// memory (a transposed operand is loaded column-major) and their lines are padded by 16 bytes against bank conflicts.
// The next tile is under way while one is used. The contiguous axis of each operand must divide by 4.
const A_T = 0u; // @tune
const B_T = 0u; // @tune
const WHOLE = 1u; // @tune: 1 if tiles wholly inside c are stored at once, which c of halves cannot take
#import "index"
#import "matmul"

@group(0) @binding(0) var<storage, read> a: array<vec4f>;     // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<vec4f>;     // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, split, M, N]
@group(1) @binding(0) var<uniform> p: Params;

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
var<workgroup> edge: array<f32, 2048>;  // a 16×16 matrix a subgroup, where c ends inside a tile

fn loadA(t: Tile, line: u32, along: u32) -> vec4f {
  let ok = select((line < t.end) & (along < p.M), (line < p.M) & (along < t.end), A_K);
  let v = a[select(0u, (t.a + line * select(p.aCol, p.aRow, A_K) + along) / 4u, ok)]; // no branches: they cost compile time
  return select(vec4f(), v, ok);
}

fn loadB(t: Tile, line: u32, along: u32) -> vec4f {
  let ok = select((line < t.end) & (along < p.N), (line < p.N) & (along < t.end), B_K);
  let v = b[select(0u, (t.b + line * select(p.bRow, p.bCol, B_K) + along) / 4u, ok)]; // no branches: they cost compile time
  return select(vec4f(), v, ok);
}

// Quad q of 1024 of a tile: its line and its place along it.
fn lineOf(q: u32, k: bool) -> vec2u {
  return select(vec2u(q / 32u, q % 32u * 4u), vec2u(q / 8u, q % 8u * 4u), k);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), 128u, 128u);
  let row = thread / 128u * 64u;
  let column = thread / 32u % 4u * 32u;
  #for i in 0..4
  var c$i_0: Sum;
  var c$i_1: Sum;
  #end
  let aFirst = select(vec2u(t.start, t.row), vec2u(t.row, t.start), A_K);
  let bFirst = select(vec2u(t.start, t.column), vec2u(t.column, t.start), B_K);
  let aStep = select(vec2u(32u, 0u), vec2u(0u, 32u), A_K);
  let bStep = select(vec2u(32u, 0u), vec2u(0u, 32u), B_K);
  var step = 0u;
  #for i in 0..4
  let aq$i = lineOf(thread + $iu * 256u, A_K);
  let bq$i = lineOf(thread + $iu * 256u, B_K);
  var x$i = loadA(t, aFirst.x + aq$i.x, aFirst.y + aq$i.y);
  var y$i = loadB(t, bFirst.x + bq$i.x, bFirst.y + bq$i.y);
  #end
  for (var start = t.start; start < t.end; start += 32u) {
    workgroupBarrier();
    #for i in 0..4
    {
      let at = aq$i.x * A_LINE + aq$i.y;
      let bt = bq$i.x * B_LINE + bq$i.y;
      let xh = vec4<f16>(x$i);
      let yh = vec4<f16>(y$i);
      #for j in 0..4
      aTile[at + $ju] = xh[$j];
      bTile[bt + $ju] = yh[$j];
      #end
    }
    #end
    workgroupBarrier();
    step += 1u;
    #for i in 0..4
    {
      let an = aFirst + aStep * step + aq$i;
      let bn = bFirst + bStep * step + bq$i;
      x$i = loadA(t, an.x, an.y);
      y$i = loadB(t, bn.x, bn.y);
    }
    #end
    #for k in 0..2
    {
      #for i in 0..4
      var l$i: Left;
      if (A_K) { l$i = subgroupMatrixLoad<Left, row_major>(&aTile, (row + $iu * 16u) * SHORT + $ku * 16u, SHORT); }
      else { l$i = subgroupMatrixLoad<Left, col_major>(&aTile, $ku * 16u * LONG + row + $iu * 16u, LONG); }
      #end
      #for j in 0..2
      var r$j: Right;
      if (B_K) { r$j = subgroupMatrixLoad<Right, col_major>(&bTile, (column + $ju * 16u) * SHORT + $ku * 16u, SHORT); }
      else { r$j = subgroupMatrixLoad<Right, row_major>(&bTile, $ku * 16u * LONG + column + $ju * 16u, LONG); }
      #for i in 0..4
      c$i_$j = subgroupMatrixMultiplyAccumulate(l$i, r$j, c$i_$j);
      #end
      #end
    }
    #end
  }
  #for w in 0..WHOLE
  if ((t.row + 128u <= p.M) & (t.column + 128u <= p.N)) {
    #for i in 0..4
    #for j in 0..2
    subgroupMatrixStore<row_major>(&c, t.c + (t.row + row + $iu * 16u) * p.N + t.column + column + $ju * 16u, c$i_$j, p.N);
    #end
    #end
    return;
  }
  #end
  let mine = thread / 32u * 256u;
  #for i in 0..4
  #for j in 0..2
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&edge, mine, c$i_$j, 16u);
  workgroupBarrier();
  for (var n = thread % 32u; n < 256u; n += 32u) {
    let r = t.row + row + $iu * 16u + n / 16u;
    let s = t.column + column + $ju * 16u + n % 16u;
    if ((r < p.M) & (s < p.N)) { c[t.c + r * p.N + s] = edge[mine + n]; }
  }
  #end
  #end
}
