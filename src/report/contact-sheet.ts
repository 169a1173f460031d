/**
 * Pictures [count, height, width, 3] side by side, row after row; rows as many as it takes, or `rows`. Empty places are
 * black.
 */
export function sheet(
  data: Uint8Array,
  { height, width }: { height: number; width: number },
  columns: number,
  rows?: number,
): { data: Uint8Array; width: number; height: number } {
  const count = data.length / (height * width * 3);
  rows ??= Math.ceil(count / columns);
  const all = {
    data: new Uint8Array(columns * rows * height * width * 3),
    width: columns * width,
    height: rows * height,
  };
  for (let i = 0; i < count; i++)
    for (let y = 0; y < height; y++) {
      const from = (i * height + y) * width * 3;
      const to = ((Math.floor(i / columns) * height + y) * all.width + (i % columns) * width) * 3;
      all.data.set(data.subarray(from, from + width * 3), to);
    }
  return all;
}
