/**
 * A cyclic redundancy check of 32 bits, lowest bit first, begun and ended with all bits turned (zlib's convention).
 * Four bytes are looked up at a time, each in a table of its own (Kounavis and Berry's slicing).
 */
function crc(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? polynomial ^ (n >>> 1) : n >>> 1;
    return n;
  });
  const next = (t: Uint32Array) => t.map((n) => table[n & 255] ^ (n >>> 8));
  const second = next(table);
  const third = next(second);
  const fourth = next(third);
  return (bytes) => {
    let c = -1;
    let i = 0;
    for (const whole = bytes.length - 3; i < whole; i += 4) {
      c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
      c = fourth[c & 255] ^ third[(c >>> 8) & 255] ^ second[(c >>> 16) & 255] ^ table[c >>> 24];
    }
    for (; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >>> 8);
    return ~c >>> 0;
  };
}

/** PNG's and zip's (ISO 3309). */
export const crc32 = crc(0xedb88320);

/** The same in eight hexadecimal digits. */
export const crc32Text = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0');

/** Castagnoli's (RFC 3720), of TFRecord files. */
export const crc32c = crc(0x82f63b78);
