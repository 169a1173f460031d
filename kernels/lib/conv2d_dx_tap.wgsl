      // Inside main: where each of ROWS pixels finds its row and column of dy under a tap, `down` and `right` of its
      // own.
      #for i in 0..ROWS
      let row$i = u32(i32(h$i) + down); // negative is huge
      let column$i = u32(i32(v$i) + right);
      let inside$i = (row$i < p.P) & (column$i < p.Q);
      let source$i = select(0u, ((image$i * p.P + row$i) * p.Q + column$i) * p.O + part * Og, inside$i);
      #end
