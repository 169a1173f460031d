  // Inside main: keep(t, row, column, v) stores 4 neighbours of c. Statistics are of the tile's `rows`, whose first
  // columns are at `place`, counted in vec4, one of `holds` columns.
  #for j in 0..RIGHT
  {
    let column = at.x * 4u + $ju * (WIDTH / RIGHT);
    #if STATS
    var vs: array<V, ROWS>;
    #endif
    #for i in 0..DOWN
    #for k in 0..4
    keep(t, $iu * (HEIGHT / DOWN) + at.y * 4u + $ku, column, c$i$k_$j);
    #if STATS
    vs[$i * 4 + $k] = c$i$k_$j;
    #endif
    #end
    #end
    #if STATS
    writeStats(vs, rows, thread, place + column / 4u, column < holds);
    #endif
  }
  #end
