  // Inside main, for "conv2d_dw_outer": o$k, the output channels that this thread loads (beyond the last, the last),
  // and the sums.
  #for k in 0..LOADS
  let o$k = t.g * Og + min(t.o + $ku * SUBGROUP + lane, Og - 1u);
  #for b in 0..SUBGROUP
  #for j in 0..COLUMNS
  var total$k_$b_$j = 0.0;
  #end
  #end
  #end
