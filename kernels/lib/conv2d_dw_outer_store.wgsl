  // Inside main: the sums go to dw, from place `start` of the axis (r, s, c) on, along which there are `length` values.
  if (t.slice >= p.slices) { return; }
  #for k in 0..LOADS
  #for b in 0..SUBGROUP
  if (t.o + $ku * SUBGROUP + $bu < Og) {
    let to = (t.slice * p.O + t.g * Og + t.o + $ku * SUBGROUP + $bu) * p.R * p.S * Cg + start + own;
    #for j in 0..COLUMNS
    if (own + $ju * SUBGROUP < length) { dw[to + $ju * SUBGROUP] = total$k_$b_$j; }
    #end
  }
  #end
  #end
