  // Inside main: t$i_$j, this thread's sums for "row_sums", and place$j, where their columns lie in a line.
  #for j in 0..WIDE
  let place$j = min(c + $ju * 8u, QUADS - 1u);
  #for i in 0..4
  var t$i_$j = vec4f();
  #end
  #end
