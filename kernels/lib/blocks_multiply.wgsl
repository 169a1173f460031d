    // Inside main: the staged tiles' product is added to the sums.
    for (var k = 0u; k < DEEP; k++) {
      #for i in 0..DOWN
      let u$i = aTile[k * A_BLOCKS + ((at.y + $iu * TALL) ^ (k / 4u * 2u % A_BLOCKS))];
      #end
      #for j in 0..RIGHT
      let v$j = bTile[k * B_BLOCKS + ((at.x + $ju * WIDE) ^ (k / 4u * 2u % B_BLOCKS))];
      #for i in 0..DOWN
      #for k in 0..4
      c$i$k_$j = fma(vec4f(u$i[$k]), v$j, c$i$k_$j);
      #end
      #end
      #end
    }
