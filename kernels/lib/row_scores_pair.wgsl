    // Inside main: s$k and d$k, the products of this thread's four rows and their others with its columns and theirs.
    #for k in 0..EACH
    var s$k = vec4f();
    var d$k = vec4f();
    #end
    for (var d = 0u; d < QUADS; d++) {
      #for i in 0..4
      let x$i = rows[(r + $iu * SIDE) * LINE + d];
      let g$i = otherRows[(r + $iu * SIDE) * LINE + d];
      #end
      #for k in 0..EACH
      let k$k = columns[(c + $ku * 8u) * LINE + d];
      let v$k = otherColumns[(c + $ku * 8u) * LINE + d];
      s$k += vec4f(dot(x0, k$k), dot(x1, k$k), dot(x2, k$k), dot(x3, k$k));
      d$k += vec4f(dot(g0, v$k), dot(g1, v$k), dot(g2, v$k), dot(g3, v$k));
      #end
    }
