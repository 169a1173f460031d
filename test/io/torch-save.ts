/**
 * Writes what torch.save writes, as little of it as tests need: by the documents of pickle, zip and
 * torch/serialization.py.
 */
import { deflateRawSync } from 'node:zlib';

/** A tensor to be saved: a window into a storage. */
export interface Saved {
  storage: { type: string; key: string; length: number; bytes: Uint8Array };
  offset: number;
  size: number[];
  strides: number[];
  parameter?: boolean;
}

export const isSaved = (v: unknown): v is Saved => typeof v === 'object' && v !== null && 'storage' in v;

export class Tuple {
  constructor(readonly items: unknown[]) {}
}

/** A call of what a pickle names, as objects of classes are saved. */
export class Call {
  constructor(
    readonly module: string,
    readonly name: string,
    readonly args: unknown[] = [],
  ) {}
}

const le = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];
const global = (module: string, name: string): number[] => [0x63, ...utf8(`${module}\n${name}\n`)];

/** A pickle of protocol 2. `legacy` ids of storages have a sixth part. */
export function pickle(value: unknown, legacy = false): Uint8Array {
  const out: number[] = [0x80, 2];
  let memo = 0;
  const remember = () => out.push(0x72, ...le(memo++, 4));
  const put = (v: unknown): void => {
    if (v === null) out.push(0x4e);
    else if (typeof v === 'boolean') out.push(v ? 0x88 : 0x89);
    else if (typeof v === 'bigint')
      out.push(0x8a, 10, ...Array.from({ length: 10 }, (_, i) => Number((v >> BigInt(8 * i)) & 255n)));
    else if (typeof v === 'number') number(v);
    else if (typeof v === 'string') out.push(0x58, ...le(utf8(v).length, 4), ...utf8(v)), remember();
    else if (v instanceof Tuple) out.push(0x28), v.items.forEach(put), out.push(0x74), remember();
    else if (Array.isArray(v)) out.push(0x5d), remember(), out.push(0x28), v.forEach(put), out.push(0x65);
    else if (v instanceof Call) out.push(...global(v.module, v.name)), put(new Tuple(v.args)), out.push(0x52);
    else if (v instanceof Map) dict(v);
    else if (isSaved(v)) v.parameter ? parameter(v) : tensor(v);
  };
  const number = (v: number) => {
    if (!Number.isInteger(v) || Math.abs(v) >= 2 ** 31) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setFloat64(0, v);
      out.push(0x47, ...bytes);
    } else if (v >= 0 && v < 256) out.push(0x4b, v);
    else if (v >= 0 && v < 65536) out.push(0x4d, ...le(v, 2));
    else out.push(0x4a, ...le(v >>> 0, 4));
  };
  const dict = (v: Map<unknown, unknown>) => {
    out.push(...global('collections', 'OrderedDict'), 0x29, 0x52);
    remember();
    out.push(0x28);
    for (const [key, item] of v) put(key), put(item);
    out.push(0x75);
  };
  const tensor = ({ storage: s, offset, size, strides }: Saved) => {
    out.push(...global('torch._utils', '_rebuild_tensor_v2'), 0x28, 0x28);
    put('storage');
    out.push(...global('torch', s.type));
    [s.key, 'cpu', s.length, ...(legacy ? [null] : [])].forEach(put);
    out.push(0x74, 0x51);
    [offset, new Tuple(size), new Tuple(strides), false, new Map()].forEach(put);
    out.push(0x74, 0x52);
  };
  const parameter = (v: Saved) => {
    out.push(...global('torch._utils', '_rebuild_parameter'), 0x28);
    tensor(v);
    [true, new Map()].forEach(put);
    out.push(0x74, 0x52);
  };
  put(value);
  return Uint8Array.from([...out, 0x2e]);
}

/** A zip archive of `files`, stored as torch does it or deflated. */
export function zip(files: Map<string, Uint8Array>, deflate = false): Uint8Array {
  const body: Uint8Array[] = [];
  const directory: number[] = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const sizes = [
      ...le(deflate ? 8 : 0, 2),
      ...le(0, 8),
      ...le(packed.length, 4),
      ...le(bytes.length, 4),
      ...le(utf8(name).length, 2),
    ]; // no time, no checksum
    directory.push(
      ...le(0x02014b50, 4),
      ...le(20, 2),
      ...le(20, 2),
      ...le(0, 2),
      ...sizes,
      ...le(0, 12),
      ...le(at, 4),
      ...utf8(name),
    );
    const head = [
      ...le(0x04034b50, 4),
      ...le(20, 2),
      ...le(0, 2),
      ...sizes,
      ...le(5, 2),
      ...utf8(name),
      ...utf8('FB\x01\x00Z'),
    ]; // torch pads with a field FB
    body.push(Uint8Array.from(head), packed);
    at += head.length + packed.length;
  }
  const end = [
    ...le(0x06054b50, 4),
    ...le(0, 4),
    ...le(files.size, 2),
    ...le(files.size, 2),
    ...le(directory.length, 4),
    ...le(at, 4),
    ...le(0, 2),
  ];
  return Uint8Array.from(Buffer.concat([...body, Uint8Array.from([...directory, ...end])]));
}

/** Every storage in `value`, by its key. */
export function storagesIn(value: unknown, found = new Map<string, Saved['storage']>()): Map<string, Saved['storage']> {
  if (isSaved(value)) found.set(value.storage.key, value.storage);
  else if (value instanceof Map) for (const v of value.values()) storagesIn(v, found);
  else if (Array.isArray(value)) for (const v of value) storagesIn(v, found);
  else if (value instanceof Tuple) storagesIn(value.items, found);
  return found;
}

/** The zip format. */
export function saveZip(value: unknown, deflate = false): Uint8Array {
  const files = new Map([
    ['archive/data.pkl', pickle(value)],
    ['archive/byteorder', new TextEncoder().encode('little')],
  ]);
  for (const { key, bytes } of storagesIn(value).values()) files.set(`archive/data/${key}`, bytes);
  return zip(files.set('archive/version', new TextEncoder().encode('3\n')), deflate);
}

/** The stream of before PyTorch 1.6. */
export function saveStream(value: unknown): Uint8Array {
  const storages = [...storagesIn(value).values()];
  const system = new Map<string, unknown>([
    ['protocol_version', 1001],
    ['little_endian', true],
    [
      'type_sizes',
      new Map([
        ['short', 2],
        ['int', 4],
        ['long', 4],
      ]),
    ],
  ]);
  const heads = [0x1950a86a20f9469cfc6cn, 1001, system].map((v) => pickle(v));
  const parts = [
    ...heads,
    pickle(value, true),
    pickle(storages.map((s) => s.key)),
    ...storages.flatMap((s) => [Uint8Array.from(le(s.length, 8)), s.bytes]),
  ];
  return Uint8Array.from(Buffer.concat(parts));
}
