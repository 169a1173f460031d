    // Inside main: the tiles' product is added to the sums.
    #for k in 0..2
    {
      #for i in 0..4
      var l$i: Left;
      if (A_K) { l$i = subgroupMatrixLoad<Left, row_major>(&aTile, (row + $iu * 16u) * SHORT + $ku * 16u, SHORT); }
      else { l$i = subgroupMatrixLoad<Left, col_major>(&aTile, $ku * 16u * LONG + row + $iu * 16u, LONG); }
      #end
      #for j in 0..2
      var r$j: Right;
      if (B_K) { r$j = subgroupMatrixLoad<Right, col_major>(&bTile, (column + $ju * 16u) * SHORT + $ku * 16u, SHORT); }
      else { r$j = subgroupMatrixLoad<Right, row_major>(&bTile, $ku * 16u * LONG + column + $ju * 16u, LONG); }
      #for i in 0..4
      c$i_$j = subgroupMatrixMultiplyAccumulate(l$i, r$j, c$i_$j);
      #end
      #end
    }
    #end
