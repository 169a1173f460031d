  // Inside main: this thread has the columns i % slots, then every `slots`-th, of a row: neighbouring threads read
  // neighbouring columns, whatever the width of a row.
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.rows * p.slots) { return; }
  let row = i / p.slots;
