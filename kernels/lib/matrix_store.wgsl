  // Inside main: sums go to c. Where the tile is `whole`, its rows lie `stride` apart from `first`; else placeOf(tile, row,
  // column) says where each element goes, or NOWHERE. Statistics, as lib/tile_stats takes them, are those of the 64 rows that a subgroup
  // holds, `rows` of which count; a lane has the even or the odd rows of a column. The first of `holds` columns goes to `place`.
  #for w in 0..WHOLE
  if (whole) {
    #for i in 0..4
    #for j in 0..2
    subgroupMatrixStore<row_major>(&c, first + (row + $iu * 16u) * stride + column + $ju * 16u, c$i_$j, stride);
    #end
    #end
    return;
  }
  #end
  let mine = thread / 32u * 256u;
  #for j in 0..2
  #for i in 0..4
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&edge, mine, c$i_$j, 16u);
  workgroupBarrier();
  for (var n = thread % 32u; n < 256u; n += 32u) {
    let to = placeOf(t, row + $iu * 16u + n / 16u, column + $ju * 16u + n % 16u);
    if (to != NOWHERE) { c[to] = edge[mine + n]; }
  }
  #for s in 0..STATS
  #for k in 0..8
  let v$j_$i_$k = halfOf(edge[mine + thread % 32u + $ku * 32u]);
  #end
  #end
  #end
  #for s in 0..STATS
  {
    let pivot = overLanes(select(0.0, v$j_0_0, thread % 32u < 16u), thread);
    var sum = 0.0;
    #for i in 0..4
    #for k in 0..8
    let counts$i_$k = $iu * 16u + $ku * 2u + thread % 32u / 16u < rows;
    let d$i_$k = select(0.0, v$j_$i_$k - pivot, counts$i_$k);
    sum += d$i_$k;
    #end
    #end
    let average = overLanes(sum, thread) / f32(max(rows, 1u));
    sum = 0.0;
    #for i in 0..4
    #for k in 0..8
    sum += select(0.0, (d$i_$k - average) * (d$i_$k - average), counts$i_$k);
    #end
    #end
    let squares = overLanes(sum, thread);
    if ((thread % 32u < 16u) & (rows > 0u) & (thread % 16u + $ju * 16u < holds)) {
      mean[place + thread % 16u + $ju * 16u] = average;
      m2[place + thread % 16u + $ju * 16u] = squares;
    }
  }
  #end
  #end
