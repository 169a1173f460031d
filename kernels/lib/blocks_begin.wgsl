  // Inside main: where this thread is among the others, its sums, and the blocks it stages: x$i and y$i of the next
  // tile. From the other end of the count for b, so that where there are threads enough none stages both.
  let at = placeOf(thread);
  let be = THREADS - 1u - thread;
  let hasA = thread < A_BLOCKS * QUADS;
  let hasB = be < B_BLOCKS * QUADS;
  #for j in 0..RIGHT
  #for i in 0..DOWN
  #for k in 0..4
  var c$i$k_$j = vec4f();
  #end
  #end
  #end
  #for i in 0..4
  var x$i: vec4f;
  var y$i: vec4f;
  #end
