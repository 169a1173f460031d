enable f16;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// c = a b on tensor cores (lib/matrix).
// A workgroup computes 128×128 of c in steps of 32 of k; the next step is under way while one is used. The contiguous
// axis of each operand divides by 4.
#import "index"
#import "matmul"
#import "matrix"

@group(0) @binding(0) var<storage, read> a: array<vec4f>;     // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<vec4f>;     // batch of [K, N], at bRow and bCol
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, split, M, N]
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [N]
#endif
#if STATS
@group(0) @binding(3) var<storage, read_write> mean: array<f32>; // [tiles of 64 of M, N], less the tile's first value
@group(0) @binding(4) var<storage, read_write> m2: array<f32>;   // [tiles of 64 of M, N]
#import "column_stats"
#endif
@group(1) @binding(0) var<uniform> p: Params;

fn loadA(t: Tile, line: u32, along: u32) -> vec4f {
  let ok = select((line < t.end) & (along < p.M), (line < p.M) & (along < t.end), A_K);
  // no branches: they cost compile time
  let v = a[select(0u, (t.a + line * select(p.aCol, p.aRow, A_K) + along) / 4u, ok)];
  return select(vec4f(), v, ok);
}

fn loadB(t: Tile, line: u32, along: u32) -> vec4f {
  let ok = select((line < t.end) & (along < p.N), (line < p.N) & (along < t.end), B_K);
  // no branches: they cost compile time
  let v = b[select(0u, (t.b + line * select(p.bRow, p.bCol, B_K) + along) / 4u, ok)];
  return select(vec4f(), v, ok);
}

fn placeOf(t: Tile, row: u32, column: u32) -> u32 {
  let ok = (t.row + row < p.M) & (t.column + column < p.N);
  return select(NOWHERE, t.c + (t.row + row) * p.N + t.column + column, ok);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let t = tileOf(groupOf(group, groups), 128u, 128u);
#import "matrix_begin"
  let aFirst = select(vec2u(t.start, t.row), vec2u(t.row, t.start), A_K);
  let bFirst = select(vec2u(t.start, t.column), vec2u(t.column, t.start), B_K);
  let aStep = select(vec2u(32u, 0u), vec2u(0u, 32u), A_K);
  let bStep = select(vec2u(32u, 0u), vec2u(0u, 32u), B_K);
  var step = 0u;
  #for i in 0..4
  var x$i = loadA(t, aFirst.x + aq$i.x, aFirst.y + aq$i.y);
  var y$i = loadB(t, bFirst.x + bq$i.x, bFirst.y + bq$i.y);
  #end
  for (var start = t.start; start < t.end; start += 32u) {
#import "matrix_stage"
    step += 1u;
    #for i in 0..4
    {
      let an = aFirst + aStep * step + aq$i;
      let bn = bFirst + bStep * step + bq$i;
      x$i = loadA(t, an.x, an.y);
      y$i = loadB(t, bn.x, bn.y);
    }
    #end
#import "matrix_multiply"
  }
  let whole = (t.row + 128u <= p.M) & (t.column + 128u <= p.N);
  let first = t.c + t.row * p.N + t.column;
  let stride = p.N;
  #if STATS
  let rows = min(64u, p.M - min(t.row + row, p.M));
  let at = column + thread % 16u;
  let place = (t.row + row) / 64u * p.N + t.column + at;
  let holds = p.N - min(t.column + at, p.N);
  #endif
#import "matrix_store"
}
