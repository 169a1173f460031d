      // Inside main: the tile that begins at step `next` is on its way.
      #for i in 0..A_LOADS
      #if ALIGNED
      #if TAIL
      let aIn$i = next + select(aq$i.x, aq$i.y, A_K) < t.end;
      x$i = chunkIf(aIn$i, loadA(select(0u, aAt$i, aIn$i)));
      #else
      x$i = loadA(aAt$i);
      #endif
      #else
      x$i = loadA(aAt$i, roomOf(aq$i, A_K, t.row, p.M, next, t.end));
      #endif
      aAt$i += aStep;
      #end
      #for i in 0..B_LOADS
      #if ALIGNED
      #if TAIL
      let bIn$i = next + select(bq$i.x, bq$i.y, B_K) < t.end;
      y$i = chunkIf(bIn$i, loadB(select(0u, bAt$i, bIn$i)));
      #else
      y$i = loadB(bAt$i);
      #endif
      #else
      y$i = loadB(bAt$i, roomOf(bq$i, B_K, t.column, p.N, next, t.end));
      #endif
      bAt$i += bStep;
      #end
