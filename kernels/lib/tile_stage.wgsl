    // Inside main: quads a and b, which were loaded, become the tiles of this step.
    workgroupBarrier();
    #for i in 0..4
    if (thread < TILE) { aTile[placeOf(quad, block) + $iu * BLOCKS] = a$i; }
    if (thread >= THREADS - TILE) { bTile[placeOf(quad, block) + $iu * BLOCKS] = b$i; }
    #end
    workgroupBarrier();
