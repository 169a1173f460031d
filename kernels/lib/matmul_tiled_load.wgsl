    // Inside main: the blocks of the tile that is `step` further on are on their way.
    if (hasA) {
      #for i in 0..4
      {
        let line = aLine + select(step, 0u, aK) + $iu;
        let along = aAlong + select(0u, step, aK);
        x$i = loadA(t.a + line * aStride + along, roomOf(line, along, aLines, aLength));
      }
      #end
    }
    if (hasB) {
      #for i in 0..4
      {
        let line = bLine + select(step, 0u, bK) + $iu;
        let along = bAlong + select(0u, step, bK);
        y$i = loadB(t.b + line * bStride + along, roomOf(line, along, bLines, bLength));
      }
      #end
    }
