  // Inside main: this thread's quads of both tiles, aq and bq, and where its subgroup's 64×32 of c begin.
  let row = thread / 128u * 64u;
  let column = thread / 32u % 4u * 32u;
  #for i in 0..4
  var c$i_0: Sum;
  var c$i_1: Sum;
  let aq$i = lineOf(thread + $iu * 256u, A_K);
  let bq$i = lineOf(thread + $iu * 256u, B_K);
  #end
