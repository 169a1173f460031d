    // Inside main: quads x and y, which were loaded, become the tiles of this step.
    workgroupBarrier();
    #for i in 0..4
    {
      let at = aq$i.x * A_LINE + aq$i.y;
      let bt = bq$i.x * B_LINE + bq$i.y;
      let xh = vec4<f16>(x$i);
      let yh = vec4<f16>(y$i);
      #for j in 0..4
      aTile[at + $ju] = xh[$j];
      bTile[bt + $ju] = yh[$j];
      #end
    }
    #end
    workgroupBarrier();
