  // Inside main: keep(t, row, column, v) stores 4 neighbours of c. Statistics are of the tile's `rows`, whose first
  // columns are at `place`, counted in vec4, one of `holds` columns.
  #for j in 0..RIGHT
  {
    let column = at.x * 4u + $ju * (WIDTH / RIGHT);
    #if BIAS
    let last = p.N - 1u;
    let to = t.column + column;
    #for k in 0..4
    let bias$k = bias[min(to + $ku, last)];
    #end
    let shift = vec4f(bias0, bias1, bias2, bias3);
    #endif
    #if STATS
    var vs: array<V, ROWS>;
    #endif
    #for i in 0..DOWN
    #for k in 0..4
    #if BIAS
    c$i$k_$j += shift;
    #endif
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
