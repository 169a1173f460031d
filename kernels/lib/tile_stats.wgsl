// What lib/column_stats asks for where tiles are those of lib/tile, which products are done with.
alias V = vec4f;
const ROWS = 8u; // @tune

fn rowOf(i: u32, thread: u32) -> u32 { return (i / 4u * SIDE + thread / SIDE) * 4u + i % 4u; }

fn overRows(v: V, thread: u32) -> V {
  workgroupBarrier();
  aTile[thread] = v;
  workgroupBarrier();
  var sum = V();
  for (var i = thread % SIDE; i < THREADS; i += SIDE) { sum += aTile[i]; }
  return sum;
}

fn put(to: u32, holds: u32, average: V, squares: V) {
  mean[to / 4u] = average;
  m2[to / 4u] = squares;
}
