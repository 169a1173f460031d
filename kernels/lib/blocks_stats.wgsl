// What lib/column_stats asks for, of threads that hold blocks of 4×4 of c.
alias V = vec4f;
const ROWS = 8u; // @tune: 4 DOWN

fn tileRow(i: u32, thread: u32) -> u32 { return i / 4u * (HEIGHT / DOWN) + placeOf(thread).y * 4u + i % 4u; }

fn overRows(v: V, thread: u32) -> V {
  let at = placeOf(thread);
  workgroupBarrier();
  aTile[at.y * WIDE + at.x] = v;
  workgroupBarrier();
  var sum = V();
  for (var i = at.x; i < THREADS; i += WIDE) { sum += aTile[i]; }
  return sum;
}
