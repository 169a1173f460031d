// How matmul_tiled reads its tiles (lib/blocks).
const UNIT = select(1u, 4u, ALIGNED == 1u); // what lines are counted in

// Where the first tile's lines of a block are: rows of a and columns of b, or steps of k where these are contiguous.
// Those beyond the edge of c repeat the last: what they make is not stored.
fn linesOf(t: Tile, s: Block) -> vec4u {
  let four = vec4u(0u, 1u, 2u, 3u);
  let k = t.start + s.k;
  #if A_T
  let inA = t.a + (k + four) * p.aCol + min(t.row + s.side, p.M - UNIT);
  #else
  let inA = t.a + min(t.row + s.side + four, vec4u(p.M - 1u)) * p.aRow + k;
  #endif
  #if B_T
  let inB = t.b + min(t.column + s.side + four, vec4u(p.N - 1u)) * p.bCol + k;
  #else
  let inB = t.b + (k + four) * p.bRow + min(t.column + s.side, p.N - UNIT);
  #endif
  return select(inB, inA, s.isA) / UNIT;
}

#if ALIGNED
fn loadA(at: u32, room: u32) -> vec4f {
  #if TAIL
  return select(vec4f(), a[select(0u, at, room > 0u)], room > 0u);
  #else
  return a[at];
  #endif
}

fn loadB(at: u32, room: u32) -> vec4f {
  #if TAIL
  return select(vec4f(), b[select(0u, at, room > 0u)], room > 0u);
  #else
  return b[at];
  #endif
}
#else
// Four neighbours, 0 from `room` on. No branches: they cost compile time.
fn loadA(at: u32, room: u32) -> vec4f {
  #for k in 0..4
  let v$k = select(0.0, a[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return vec4f(v0, v1, v2, v3);
}

fn loadB(at: u32, room: u32) -> vec4f {
  #for k in 0..4
  let v$k = select(0.0, b[select(0u, at + $ku, $ku < room)], $ku < room);
  #end
  return vec4f(v0, v1, v2, v3);
}
#endif

// How many elements of line i of a block lie in the matrix.
fn roomOf(t: Tile, s: Block, next: u32, i: u32, transposed: bool, side: u32, size: u32) -> u32 {
  let k = next + s.k;
  return select(t.end - min(t.end, k), select(0u, size - min(size, side + s.side), k + i < t.end), transposed);
}

// The block's lines of the tile that begins at step `next`.
fn load(t: Tile, s: Block, lines: vec4u, next: u32) -> mat4x4f {
  var x: mat4x4f;
  if (s.isA) {
    #for i in 0..4
    x[$i] = loadA(lines[$i], roomOf(t, s, next, $iu, A_T == 1u, t.row, p.M));
    #end
  } else if (s.has) {
    #for i in 0..4
    x[$i] = loadB(lines[$i], roomOf(t, s, next, $iu, B_T == 0u, t.column, p.N));
    #end
  }
  return x;
}
