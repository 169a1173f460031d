/** `count` records with labels 0, 1, 2, ... and bytes that tell plane and place. */
export function batch(count: number): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let n = 0; n < count; n++) {
    bytes[n * 3073] = n % 10;
    for (let i = 0; i < 3072; i++) bytes[n * 3073 + 1 + i] = (i * 7 + (i >> 10) * 31 + n) & 255;
  }
  return bytes;
}

/** An IDX file of unsigned bytes. */
export function idx(sizes: number[], body: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + 4 * sizes.length + body.length);
  out.set([0, 0, 8, sizes.length]);
  sizes.forEach((d, i) => new DataView(out.buffer).setUint32(4 + 4 * i, d));
  out.set(body, 4 + 4 * sizes.length);
  return out;
}
