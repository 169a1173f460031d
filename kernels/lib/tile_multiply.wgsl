    // l$i, r$i: row i of the left and the right blocks of the thread at `thread`, += the product of the staged tiles
    for (var k = 0u; k < 16u; k++) {
      let ay = k * BLOCKS + ((thread / SIDE) ^ (k / 4u * 2u));
      let bx = k * BLOCKS + ((thread % SIDE) ^ (k / 4u * 2u));
      let above = aTile[ay];
      let below = aTile[ay + SIDE];
      let left = bTile[bx];
      let right = bTile[bx + SIDE];
      #for i in 0..4
      l$i = fma(vec4f(above[$i]), left, l$i);
      r$i = fma(vec4f(above[$i]), right, r$i);
      #end
      #for i in 4..8
      l$i = fma(vec4f(below[$i - 4]), left, l$i);
      r$i = fma(vec4f(below[$i - 4]), right, r$i);
      #end
    }
