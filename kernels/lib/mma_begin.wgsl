  // Inside main: where this thread's subgroup begins in its scratch and in the tile of c, and its sums.
  let mine = thread / 32u * 256u;
  let row = thread / 32u / ACROSS * 16u * TALL;
  let column = thread / 32u % ACROSS * 16u * WIDE;
  #for i in 0..TALL
  #for j in 0..WIDE
  var c$i_$j: Sum;
  #end
  #end
