  // Inside main: c$i, four columns LANES apart from `column` on of row `row` + i, go to c, with the bias if there is
  // one.
  #if BIAS
  let last = p.N - 1u;
  #for j in 0..4
  let bias$j = bias[min(column + $ju * LANES, last)];
  #end
  #for i in 0..4
  c$i += vec4f(bias0, bias1, bias2, bias3);
  #end
  #endif
  #for i in 0..4
  if (row + $iu < p.M) {
    let start = t.c + (row + $iu) * p.N + column;
    #for j in 0..4
    if (column + $ju * LANES < p.N) { c[start + $ju * LANES] = c$i[$j]; }
    #end
  }
  #end
