  // Inside main: a$i and b$i, which this thread stages of the next step, and l$i and r$i, its sums.
  #for i in 0..4
  var a$i: vec4f;
  var b$i: vec4f;
  #end
  #for i in 0..8
  var l$i = vec4f();
  var r$i = vec4f();
  #end
