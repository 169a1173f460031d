  // Inside main: total$i_$j go to y, where there are such a pixel and channel.
  #for i in 0..ROWS
  if (t.pixel + $iu < pixels) {
    let to = (t.pixel + $iu) * p.O + t.g * Og + o;
    #for j in 0..COLUMNS
    if (o + $ju * SUBGROUP < Og) { y[to + $ju * SUBGROUP] = total$i_$j; }
    #end
  }
  #end
