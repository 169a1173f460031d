  // Inside main: this thread has rows `first` to `end` - 1 of channel `c` of split `split`, which holds the samples n
  // with n % splits = split. x[at] is in row `first` (the last row where there is none), which is row l of its sample.
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.splits * p.chunks * p.C) { return; }
  let c = i % p.C;
  let split = i / (p.C * p.chunks);
  let first = (i / p.C) % p.chunks * p.chunk;
  let end = min(first + p.chunk, p.rows);
  let skip = (p.splits - 1u) * p.L * p.C; // the samples of the other splits
  let start = min(first, p.rows - 1u);
  var l = start % p.L;
  var at = ((start / p.L * p.splits + split) * p.L + l) * p.C + c;
