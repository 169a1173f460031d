  // Inside main: l$i and r$i go to y, and their columns' statistics beside it.
  let column = t.o + thread % SIDE * 4u;
  #for i in 0..8
  {
    let pixel = t.pixel + tileRow($iu, thread);
    let to = (pixel * p.O + t.g * Og + column) / 4u;
    if ((pixel < pixels) & (column < Og)) { y[to] = l$i; }
    if ((pixel < pixels) & (column + 4u * SIDE < Og)) { y[to + SIDE] = r$i; }
  }
  #end
  #if STATS
  let rows = min(TILE, pixels - min(t.pixel, pixels));
  let place = (t.pixel / TILE * p.O + t.g * Og + column) / 4u;
  writeStats(array(l0, l1, l2, l3, l4, l5, l6, l7), rows, thread, place, column < Og);
  writeStats(array(r0, r1, r2, r3, r4, r5, r6, r7), rows, thread, place + SIDE, column + 4u * SIDE < Og);
  #endif
