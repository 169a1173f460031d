    // Inside main: the tiles' product is added to the sums of the subgroup whose part begins at (row, column).
    #for s in 0..SLICES
    {
      #for i in 0..TALL
      #if A_T
      let l$i = subgroupMatrixLoad<Left, col_major>(&aTile, $su * 16u * A_LINE + row / 8u + $iu * 2u, A_LINE);
      #else
      let l$i = subgroupMatrixLoad<Left, row_major>(&aTile, (row + $iu * 16u) * A_LINE + $su * 2u, A_LINE);
      #endif
      #if LOW
      #if A_T
      let k$i = subgroupMatrixLoad<Left, col_major>(&aLow, $su * 16u * A_LINE + row / 8u + $iu * 2u, A_LINE);
      #else
      let k$i = subgroupMatrixLoad<Left, row_major>(&aLow, (row + $iu * 16u) * A_LINE + $su * 2u, A_LINE);
      #endif
      #endif
      #end
      #for j in 0..WIDE
      #if B_T
      let r$j = subgroupMatrixLoad<Right, col_major>(&bTile, (column + $ju * 16u) * B_LINE + $su * 2u, B_LINE);
      #else
      let r$j = subgroupMatrixLoad<Right, row_major>(&bTile, $su * 16u * B_LINE + column / 8u + $ju * 2u, B_LINE);
      #endif
      #if LOW
      #if B_T
      let q$j = subgroupMatrixLoad<Right, col_major>(&bLow, (column + $ju * 16u) * B_LINE + $su * 2u, B_LINE);
      #else
      let q$j = subgroupMatrixLoad<Right, row_major>(&bLow, $su * 16u * B_LINE + column / 8u + $ju * 2u, B_LINE);
      #endif
      #for i in 0..TALL
      c$i_$j = subgroupMatrixMultiplyAccumulate(l$i, q$j, c$i_$j);
      #end
      #for i in 0..TALL
      c$i_$j = subgroupMatrixMultiplyAccumulate(k$i, r$j, c$i_$j);
      #end
      #endif
      #for i in 0..TALL
      c$i_$j = subgroupMatrixMultiplyAccumulate(l$i, r$j, c$i_$j);
      #end
      #end
    }
    #end
