// For a product's epilogue: writeStats writes the statistics of its tile's columns, of every column the mean, less its
// first value (far from 0 it would be rounded to its ulp), and the sum of squared deviations from it, as the result is
// stored, in two passes over registers.
// A thread has ROWS values of one V of columns, which belongs at `to` if the tile holds it. tileRow(i, thread) is the
// tile's row of value i, and overRows sums over the threads that share the columns, in order.
override HALF = 0u; // the result is stored as f16

fn halfOf(v: V) -> V { return select(v, quantizeToF16(v), HALF == 1u); }

fn writeStats(given: array<V, ROWS>, rows: u32, thread: u32, to: u32, holds: bool) {
  var v = given;
  let isFirst = tileRow(0u, thread) == 0u;
  let pivot = overRows(select(V(), halfOf(v[0]), isFirst), thread);
  var sum = V();
  #for i in 0..ROWS
  v[$i] = select(V(), halfOf(v[$i]) - pivot, tileRow($iu, thread) < rows);
  sum += v[$i];
  #end
  let average = overRows(sum, thread) / f32(max(rows, 1u));
  sum = V();
  #for i in 0..ROWS
  v[$i] = select(V(), v[$i] - average, tileRow($iu, thread) < rows);
  sum += v[$i] * v[$i];
  #end
  let squares = overRows(sum, thread);
  if (isFirst & holds & (rows > 0u)) {
    mean[to] = average;
    m2[to] = squares;
  }
}
