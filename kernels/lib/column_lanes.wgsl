  // Inside main of 256 threads: a workgroup takes a block of p.lanes vectors of columns, and a chunk of the rows of a
  // split. p.lanes threads lie side by side, p.tall of them one above the other. This thread has the vector `c` and the
  // rows `first`, `first` + p.tall, … below `end`; none where it is one too many.
  let g = groupOf(group, groups);
  let piece = g / p.blocks; // chunks of all splits
  let split = min(piece / p.chunks, p.splits - 1u);
  let column = g % p.blocks * p.lanes + thread % p.lanes;
  let c = min(column, p.C - 1u);
  let isMine = (column < p.C) & (thread / p.lanes < p.tall) & (piece < p.splits * p.chunks);
  let begin = piece % p.chunks * p.chunk;
  let end = select(begin, min(begin + p.chunk, p.rows), isMine);
  let first = begin + thread / p.lanes;
