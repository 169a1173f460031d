  // Inside main: where this thread is among the others, its sums, and the blocks it stages.
  let at = placeOf(thread);
  #for j in 0..RIGHT
  #for i in 0..DOWN
  #for k in 0..4
  var c$i$k_$j = vec4f();
  #end
  #end
  #end
  #for i in 0..LOADS
  let s$i = stagedBy(thread + $iu * THREADS);
  var x$i: mat4x4f;
  #end
