    // Inside main: x$i and y$i, the chunks of 8 at aq$i and bq$i, go to the tiles.
    #for i in 0..A_LOADS
    #if LOW
    most.x = max(most.x, largestOf(x$i));
    stageA(aq$i.x * A_LINE + aq$i.y / 8u, x$i, scales.x);
    #else
    aTile[aq$i.x * A_LINE + aq$i.y / 8u] = x$i;
    #endif
    #end
    #for i in 0..B_LOADS
    #if LOW
    most.y = max(most.y, largestOf(y$i));
    stageB(bq$i.x * B_LINE + bq$i.y / 8u, y$i, scales.y);
    #else
    bTile[bq$i.x * B_LINE + bq$i.y / 8u] = y$i;
    #endif
    #end
