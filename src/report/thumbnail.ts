/**
 * A picture [height, width, 3] made smaller by a whole number, so that no side is longer than `most` pixels where it
 * was: means of squares.
 */
export function thumbnail(
  data: Uint8Array,
  width: number,
  height: number,
  most: number,
): { data: Uint8Array; width: number; height: number } {
  const times = Math.max(1, Math.ceil(Math.max(width, height) / most));
  const small = { width: Math.max(1, Math.floor(width / times)), height: Math.max(1, Math.floor(height / times)) };
  const out = new Uint8Array(small.width * small.height * 3);
  const [w, h] = [Math.min(times, width), Math.min(times, height)];
  for (let i = 0; i < out.length; i++) {
    const [y, x, c] = [Math.floor(i / 3 / small.width), Math.floor(i / 3) % small.width, i % 3];
    let sum = 0;
    for (let dy = 0; dy < h; dy++)
      for (let dx = 0; dx < w; dx++) sum += data[((y * times + dy) * width + x * times + dx) * 3 + c];
    out[i] = Math.round(sum / (w * h));
  }
  return { data: out, ...small };
}

/**
 * The square in the middle of a picture [height, width, 3], of `side` pixels: means of what falls on each, or the
 * nearest where it is enlarged.
 */
export function squareThumbnail(
  data: Uint8Array,
  width: number,
  height: number,
  side: number,
): { data: Uint8Array; width: number; height: number } {
  const square = Math.min(width, height);
  const [top, left] = [(height - square) >> 1, (width - square) >> 1];
  const edge = (i: number) => Math.floor((i * square) / side);
  const out = new Uint8Array(side * side * 3);
  for (let i = 0; i < out.length; i++) {
    const [y, x, c] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side, i % 3];
    const [rows, columns] = [y, x].map((v) => [edge(v), Math.max(edge(v) + 1, edge(v + 1))]);
    let sum = 0;
    for (let r = rows[0]; r < rows[1]; r++)
      for (let q = columns[0]; q < columns[1]; q++) sum += data[((top + r) * width + left + q) * 3 + c];
    out[i] = Math.round(sum / ((rows[1] - rows[0]) * (columns[1] - columns[0])));
  }
  return { data: out, width: side, height: side };
}
