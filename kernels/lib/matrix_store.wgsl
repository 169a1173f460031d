  // Inside main: the sums go to c. Where the tile is `whole`, its rows lie `stride` apart from `first`; else
  // placeOf(tile, row, column) says where each element goes, or NOWHERE. Statistics are of the subgroup's `rows`, whose
  // first is at `place`, one of `holds` columns.
  #if WHOLE
  if (whole) {
    #for i in 0..4
    #for j in 0..2
    subgroupMatrixStore<row_major>(&c, first + (row + $iu * 16u) * stride + column + $ju * 16u, c$i_$j, stride);
    #end
    #end
    return;
  }
  #endif
  let mine = thread / 32u * 256u;
  #for j in 0..2
  #if STATS
  var v$j: array<V, ROWS>;
  #endif
  #for i in 0..4
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&edge, mine, c$i_$j, 16u);
  workgroupBarrier();
  for (var n = thread % 32u; n < 256u; n += 32u) {
    #if BIAS
    edge[mine + n] += bias[min(t.column + column + $ju * 16u + n % 16u, p.N - 1u)];
    #endif
    let to = placeOf(t, row + $iu * 16u + n / 16u, column + $ju * 16u + n % 16u);
    if (to != NOWHERE) { c[to] = edge[mine + n]; }
  }
  #if STATS
  #for k in 0..8
  v$j[$i * 8 + $k] = edge[mine + thread % 32u + $ku * 32u];
  #end
  #endif
  #end
  #if STATS
  writeStats(v$j, rows, thread, place + $ju * 16u, $ju * 16u < holds);
  #endif
  #end
