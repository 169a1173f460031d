  // Inside main: where a thread's chunks of both tiles are in memory, and in which unit. Lines and chunks beyond the
  // edge of c repeat the last: what they make is not stored.
  #if ALIGNED
  const UNIT = 8u;
  #else
  const UNIT = 1u;
  #endif
  #for i in 0..A_LOADS
  let aq$i = chunkOf(thread + $iu * THREADS, A_K, HEIGHT);
  let aLine$i = select(t.start + aq$i.x, min(t.row + aq$i.x, p.M - 1u), A_K);
  let aAlong$i = select(min(t.row + aq$i.y, p.M - UNIT), t.start + aq$i.y, A_K);
  var aAt$i = (t.a + aLine$i * select(p.aCol, p.aRow, A_K) + aAlong$i) / UNIT;
  var x$i: Chunk;
  #end
  #for i in 0..B_LOADS
  let bq$i = chunkOf(thread + $iu * THREADS, B_K, WIDTH);
  let bLine$i = select(t.start + bq$i.x, min(t.column + bq$i.x, p.N - 1u), B_K);
  let bAlong$i = select(min(t.column + bq$i.y, p.N - UNIT), t.start + bq$i.y, B_K);
  var bAt$i = (t.b + bLine$i * select(p.bRow, p.bCol, B_K) + bAlong$i) / UNIT;
  var y$i: Chunk;
  #end
  let aStep = DEEP * select(p.aCol, 1u, A_K) / UNIT;
  let bStep = DEEP * select(p.bRow, 1u, B_K) / UNIT;
