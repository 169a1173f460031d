    // Inside main: the largest values of both operands in a sample, every thread's chunks, each of some tile.
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
