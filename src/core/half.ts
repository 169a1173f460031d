/** IEEE 754 half precision, one value from its 16 bits, exact in f32. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
// place of the word with the exponent: 1 on little-endian machines
const high = new Uint8Array(Uint16Array.of(1).buffer)[0];

/** The 16 bits of the half nearest to `v`, of two the even one; what is too large becomes infinite. */
export function toHalf(v: number): number {
  float[0] = v;
  const sign = (words[high] >>> 16) & 0x8000;
  const size = Math.abs(v);
  if (!(size < 65536)) return sign | (v === v ? 0x7c00 : 0x7e00);
  const exponent = Math.max(((words[high] >>> 20) & 0x7ff) - 1023, -14);
  // the sum rounds to a whole number, of two to the even one
  const units = size * 2 ** (10 - exponent) + 2 ** 52 - 2 ** 52;
  return sign | (((exponent + 14) << 10) + units); // 1024 units and more count into the exponent
}

/** Halves as floats. */
export function decodeHalves(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = fromHalf(bits[i]);
  return values;
}

/** Floats as the nearest halves. */
export function encodeHalves(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = toHalf(values[i]);
  return bits;
}

/** Rounds floats to the nearest halves, in place. */
export function roundToHalves(values: Float32Array | Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = fromHalf(toHalf(values[i]));
}
