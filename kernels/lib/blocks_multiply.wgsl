    // Inside main: the staged tiles' product is added to the sums.
    #for k in 0..DEEP
    {
      #for i in 0..DOWN
      let u$i = aTile[$ku * A_LINE + at.y + $iu * TALL];
      #end
      #for j in 0..RIGHT
      let v$j = bTile[$ku * B_LINE + at.x + $ju * WIDE];
      #for i in 0..DOWN
      #for n in 0..4
      c$i$n_$j = fma(vec4f(u$i[$n]), v$j, c$i$n_$j);
      #end
      #end
      #end
    }
    #end
