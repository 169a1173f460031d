// The overRows of lib/column_stats where tiles are those of lib/tile, which the products no longer need.
alias V = vec4f;
const ROWS = 8u; // @tune

fn overRows(v: V, thread: u32) -> V {
  workgroupBarrier();
  aTile[thread] = v;
  workgroupBarrier();
  if (thread < SIDE) {
    var sum = V();
    for (var i = thread; i < THREADS; i += SIDE) { sum += aTile[i]; }
    aTile[thread] = sum;
  }
  workgroupBarrier();
  return aTile[thread % SIDE];
}
