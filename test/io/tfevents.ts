/** Reads TensorBoard's event files for tests, sharing nothing with what writes them. */

interface Histogram {
  min: number;
  max: number;
  num: number;
  sum: number;
  squares: number;
  limits: number[];
  counts: number[];
}
interface Value {
  scalar?: number;
  image?: { height: number; width: number; colorspace: number; png: number[] };
  histogram?: Histogram;
}
export interface Event {
  time: number;
  step: number;
  version?: string;
  started?: boolean;
  values: Record<string, Value>;
}

type Fields = Map<number, (number | Buffer)[]>;

function fields(bytes: Buffer): Fields {
  const found: Fields = new Map();
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      value += (bytes[at] & 127) * scale;
      if (bytes[at++] < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    let value: number | Buffer;
    if ((key & 7) === 0) value = varint();
    else if ((key & 7) === 1) [value, at] = [bytes.readDoubleLE(at), at + 8];
    else if ((key & 7) === 5) [value, at] = [bytes.readFloatLE(at), at + 4];
    else {
      const length = varint();
      [value, at] = [bytes.subarray(at, at + length), at + length];
    }
    found.set(key >> 3, [...(found.get(key >> 3) ?? []), value]);
  }
  return found;
}

const number = (f: Fields, key: number) => (f.get(key)?.[0] as number) ?? 0;
const bytesOf = (f: Fields, key: number) => (f.get(key) ?? []) as Buffer[];
const doubles = (b: Buffer) => Array.from({ length: b.length / 8 }, (_, i) => b.readDoubleLE(8 * i));

function value(f: Fields): Value {
  if (f.has(2)) return { scalar: number(f, 2) };
  if (f.has(4)) {
    const image = fields(bytesOf(f, 4)[0]);
    return {
      image: {
        height: number(image, 1),
        width: number(image, 2),
        colorspace: number(image, 3),
        png: [...bytesOf(image, 4)[0]],
      },
    };
  }
  const h = fields(bytesOf(f, 5)[0]);
  return {
    histogram: {
      min: number(h, 1),
      max: number(h, 2),
      num: number(h, 3),
      sum: number(h, 4),
      squares: number(h, 5),
      limits: doubles(bytesOf(h, 6)[0]),
      counts: doubles(bytesOf(h, 7)[0]),
    },
  };
}

/** CRC-32C bit by bit, masked as TFRecord's. */
function check(bytes: Buffer): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0x82f63b78 : 0);
  }
  c = ~c >>> 0;
  return (((c >>> 15) | (c << 17)) + 0xa282ead8) >>> 0;
}

/** @throws Error where a record is cut off or does not pass its checks. */
export function readEvents(file: Buffer): Event[] {
  const events: Event[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const body = file.subarray(at + 12, at + 12 + length);
    if (
      file.readUInt32LE(at + 8) !== check(file.subarray(at, at + 8)) ||
      file.readUInt32LE(at + 12 + length) !== check(body)
    )
      throw new Error(`record at ${at}`);
    const f = fields(body);
    const values = bytesOf(f, 5).flatMap((summary) => bytesOf(fields(summary), 1).map((v) => fields(v)));
    events.push({
      time: number(f, 1),
      step: number(f, 2),
      version: bytesOf(f, 3)[0]?.toString(),
      started: f.has(7) && number(fields(bytesOf(f, 7)[0]), 1) === 1,
      values: Object.fromEntries(values.map((v) => [bytesOf(v, 1)[0].toString(), value(v)])),
    });
    at += 12 + length + 4;
  }
  return events;
}
