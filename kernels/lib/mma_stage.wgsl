    // Inside main: x$i and y$i, the chunks of 8 at aq$i and bq$i, go to the tiles.
    #for i in 0..A_LOADS
    aTile[aq$i.x * A_LINE + aq$i.y / 8u] = x$i;
    #end
    #for i in 0..B_LOADS
    bTile[bq$i.x * B_LINE + bq$i.y / 8u] = y$i;
    #end
