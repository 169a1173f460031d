/** Runs what it is given, at most `width` at a time, in the order in which it came. */
export function lanes(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = width;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((begin) => waiting.push(begin));
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // it takes this lane
      if (next) next();
      else free++;
    }
  };
}
