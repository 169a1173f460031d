    // Inside main: pixel$i, the four pixels of y that this thread stages of a step, and a$i, four output channels of
    // each.
    #for i in 0..4
    let pixel$i = begin + step * 16u + quad * 4u + $iu;
    #end
    if (thread < TILE) {
      #for i in 0..4
      let ok$i = (pixel$i < end) & (myO < Og);
      a$i = select(vec4f(), dy[select(0u, (pixel$i * p.O + t.g * Og + myO) / 4u, ok$i)], ok$i);
      #end
    }
