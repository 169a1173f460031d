  // Inside main, behind the places of chunks: the exponents of both operands' scales, of a sample (every thread's
  // chunks, each of some tile), and the begin of a turn.
  let tiles = (t.end - t.start + DEEP - 1u) / DEEP;
  var most = vec2f(); // the largest values so far
  if (tiles > 0u) {
    #for i in 0..A_LOADS
    {
      let step = (thread + $iu * THREADS) * 40503u / 16u % tiles;
      #if ALIGNED
      let ok = t.start + step * DEEP + select(aq$i.x, aq$i.y, A_K) < t.end;
      let x = chunkIf(ok, loadA(select(0u, aAt$i + step * aStep, ok)));
      #else
      let x = loadA(aAt$i + step * aStep, roomOf(aq$i, A_K, t.row, p.M, t.start + step * DEEP, t.end));
      #endif
      most.x = max(most.x, largestOf(Chunk(finite(x.u), finite(x.v))));
    }
    #end
    #for i in 0..B_LOADS
    {
      let step = (thread + $iu * THREADS) * 40503u / 16u % tiles;
      #if ALIGNED
      let ok = t.start + step * DEEP + select(bq$i.x, bq$i.y, B_K) < t.end;
      let y = chunkIf(ok, loadB(select(0u, bAt$i + step * bStep, ok)));
      #else
      let y = loadB(bAt$i + step * bStep, roomOf(bq$i, B_K, t.column, p.N, t.start + step * DEEP, t.end));
      #endif
      most.y = max(most.y, largestOf(Chunk(finite(y.u), finite(y.v))));
    }
    #end
  }
  let sample = overAll(most, thread);
  var exponents = vec2i(exponentOf(sample.x, GUESS), exponentOf(sample.y, GUESS));
  for (var turn = 0u; turn < 2u; turn++) {
  let scales = vec2f(powerOf(exponents.x), powerOf(exponents.y));
  #for i in 0..TALL
  #for j in 0..WIDE
  c$i_$j = Sum();
  #end
  #end
