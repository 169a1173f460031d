    // Inside main: s$k, the products of this thread's four rows with its columns of the tile.
    #for k in 0..EACH
    var s$k = vec4f();
    #end
    for (var d = 0u; d < QUADS; d++) {
      #for i in 0..4
      let x$i = rows[(r + $iu * SIDE) * LINE + d];
      #end
      #for k in 0..EACH
      let k$k = columns[(c + $ku * 8u) * LINE + d];
      s$k += vec4f(dot(x0, k$k), dot(x1, k$k), dot(x2, k$k), dot(x3, k$k));
      #end
    }
