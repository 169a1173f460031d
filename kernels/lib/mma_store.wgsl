  // Inside main: keep(t, row, column, u, v) stores 8 neighbours of c. Statistics are of the subgroup's `rows`, whose
  // first columns are at `place`, counted in vec4, one of `holds` columns.
  #for j in 0..WIDE
  {
    let at = column + $ju * 16u + thread % 2u * 8u;
    #if BIAS
    let last = p.N - 1u;
    let to = t.column + at;
    #for k in 0..8
    let bias$k = bias[min(to + $ku, last)];
    #end
    #endif
    #if STATS
    var us: array<V, ROWS>;
    var vs: array<V, ROWS>;
    #endif
    #for i in 0..TALL
    workgroupBarrier();
    subgroupMatrixStore<row_major>(&edge, mine, c$i_$j, 16u);
    workgroupBarrier();
    {
      let e = thread * 8u;
      var u = vec4f(edge[e], edge[e + 1u], edge[e + 2u], edge[e + 3u]);
      var v = vec4f(edge[e + 4u], edge[e + 5u], edge[e + 6u], edge[e + 7u]);
      #if LOW
      u = u * unscale.x * unscale.y; // in this order: both together may be no f32
      v = v * unscale.x * unscale.y;
      #endif
      #if BIAS
      u += vec4f(bias0, bias1, bias2, bias3);
      v += vec4f(bias4, bias5, bias6, bias7);
      #endif
      keep(t, row + $iu * 16u + thread % 32u / 2u, at, u, v);
      #if STATS
      us[$i] = u;
      vs[$i] = v;
      #endif
    }
    #end
    #if STATS
    writeStats(us, rows, thread, place + at / 4u, at < holds);
    writeStats(vs, rows, thread, place + at / 4u + 1u, at < holds);
    #endif
  }
  #end
