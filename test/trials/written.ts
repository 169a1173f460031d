/** Readers of what is written, by the formats' documents alone. */

/** A NumPy array of version 1.0 in f32. */
export function readNpy(bytes: Uint8Array): { shape: number[]; data: Float32Array } {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  const head = new TextDecoder().decode(bytes.subarray(10, 10 + length));
  const [, sizes] = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n$/.exec(head)!;
  const shape = sizes.split(',').flatMap((s) => (s.trim() === '' ? [] : [Number(s)]));
  if ((10 + length) % 64 !== 0) throw new Error('the data are not aligned');
  return { shape, data: new Float32Array(bytes.slice(10 + length).buffer) };
}

/** The fields of a protocol buffer, each to its end; bytes stay bytes. */
export function readProto(bytes: Uint8Array): [field: number, value: bigint | Uint8Array][] {
  const found: [number, bigint | Uint8Array][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length) throw new Error('a number does not end');
      value |= BigInt(bytes[at] & 127) << shift;
      if (bytes[at++] < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('a field ends behind the message');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const kind = key & 7;
    const widths: Record<number, number> = { 1: 8, 5: 4 };
    if (kind !== 0 && kind !== 2 && !(kind in widths)) throw new Error(`a field of kind ${kind}`);
    found.push([key >>> 3, kind === 0 ? varint() : take(widths[kind] ?? Number(varint()))]);
  }
  return found;
}
