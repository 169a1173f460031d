/** A cyclic redundancy check of 32 bits, lowest bit first, begun and ended with all bits turned (zlib's convention). */
function crc(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? polynomial ^ (n >>> 1) : n >>> 1;
    return n;
  });
  return (bytes) => {
    let c = -1;
    for (const byte of bytes) c = table[(c ^ byte) & 255] ^ (c >>> 8);
    return ~c >>> 0;
  };
}

/** PNG's and zip's (ISO 3309). */
export const crc32 = crc(0xedb88320);

/** Castagnoli's (RFC 3720), of TFRecord files. */
export const crc32c = crc(0x82f63b78);
