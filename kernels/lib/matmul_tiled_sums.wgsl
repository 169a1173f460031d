  // Inside main: c$i, four columns LANES apart of row `row` + i of c, from tiles of 16 steps of k.
  let t = tileOf(groupOf(group, groups), TILE, TILE);
  let row = t.row + lane.y * 4u;
  let column = t.column + lane.x;
  #for i in 0..4
  var c$i = vec4f();
  #end
  for (var start = t.start; start < t.end; start += 16u) {
    #for i in 0..LOADS
    {
      let e = thread + $iu * LANES * LANES;
      let ak = select(e % 16u, e / TILE, aTransposed());
      let ar = select(e / 16u, e % TILE, aTransposed());
      var v = 0.0;
      if (start + ak < t.end && t.row + ar < p.M) { v = a[t.a + (t.row + ar) * p.aRow + (start + ak) * p.aCol]; }
      aTile[ak * TILE + ar] = F(v);
      let bk = select(e / TILE, e % 16u, bTransposed());
      let bc = select(e % TILE, e / 16u, bTransposed());
      var w = 0.0;
      if (start + bk < t.end && t.column + bc < p.N) { w = b[t.b + (start + bk) * p.bRow + (t.column + bc) * p.bCol]; }
      bTile[bk * TILE + bc] = F(w);
    }
    #end
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let at = k * TILE + lane.x;
      let y = vec4f(vec4(bTile[at], bTile[at + LANES], bTile[at + 2u * LANES], bTile[at + 3u * LANES]));
      #for i in 0..4
      c$i = fma(vec4f(f32(aTile[k * TILE + lane.y * 4u + $iu])), y, c$i);
      #end
    }
    workgroupBarrier();
  }
