    // Inside main: t$i_$j += the product of the weights of this thread's four rows with the tile's columns.
    for (var k = 0u; k < COLUMNS; k++) {
      let w = weights[k * SIDE + r];
      #for j in 0..WIDE
      let v$j = columns[k * LINE + place$j];
      #for i in 0..4
      t$i_$j += w[$i] * v$j;
      #end
      #end
    }
