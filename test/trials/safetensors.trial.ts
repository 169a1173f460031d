import { decodeSafetensors, type SafetensorsFile } from '../../src/io/safetensors.js';
import { attempt, type Input } from './attempt.js';
import { jsonString, jsonValue, NAMES, spoilt } from './json-text.js';
import { Random } from './random.js';
import type { Trial } from './trial.js';

const WIDTHS = { F32: 4, I64: 8, I32: 4, U32: 4, U8: 1, F64: 8, F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, BOOL: 1 };
const TYPES = Object.keys(WIDTHS) as (keyof typeof WIDTHS)[];
const encoder = new TextEncoder();

/** Header and data as a file; `length` is what the first eight bytes say. */
function fileOf(header: string, data: Uint8Array, length?: bigint): Uint8Array {
  const text = encoder.encode(header);
  const out = new Uint8Array(8 + text.length + data.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  out.set(text, 8);
  out.set(data, 8 + text.length);
  return out;
}

interface Part {
  name: string;
  shape: number[];
  json: string;
}

/** Tensors one after another, sound. */
function parts(r: Random): { entries: Part[]; size: number } {
  const names = [...new Set(r.some(5, (i) => (r.once(3) ? r.pick(NAMES) : `layer.${i}.weight`)))];
  let size = 0;
  const entries = names
    .filter((name) => name !== '__metadata__' && name !== '\ud800')
    .map((name) => {
      const dtype = r.pick(TYPES);
      const shape = r.some(3, () => r.below(4));
      const begin = size;
      size += shape.reduce((n, d) => n * d, WIDTHS[dtype]);
      const fields = [`"dtype":"${dtype}"`, `"shape":[${shape}]`, `"data_offsets":[${begin},${size}]`];
      if (r.once(2)) fields.reverse();
      return { name, shape, json: `${jsonString(r, name)}: {${fields.join(',')}}` };
    });
  return { entries, size };
}

/** Whether the tensors that were read are those that were written. */
function same(entries: Part[], { tensors }: SafetensorsFile): string | undefined {
  if (tensors.size !== entries.length) return `${tensors.size} tensors of ${entries.length}`;
  const wrong = entries.find(({ name, shape }) => String(tensors.get(name)?.shape) !== String(shape));
  return wrong && `another shape of ${wrong.name}`;
}

function input(r: Random): Input {
  const { entries, size } = parts(r);
  const json = entries.map((e) => e.json);
  const data = r.bytes(size);
  const file = (lines: string[], length?: bigint) => fileOf(`{${lines.join(',')}}`, data, length);
  const again = json.length > 0 ? r.pick(json) : '"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
  const odd = (key: string) =>
    json.map((line) => line.replace(new RegExp(`("${key}":)[^\\]"]*("\\w+"|\\])`), `$1${jsonValue(r)}`));
  switch (r.below(9)) {
    case 0:
    case 1:
      return { bytes: file(json), must: 'read', right: (value) => same(entries, value) };
    case 2: // a name twice
      return { bytes: file(json.includes(again) ? [...json, again] : [again, again]), must: 'refuse' };
    case 3: // notes twice, or of another kind
      return { bytes: file(['"__metadata__":{"a":"b"}', ...json, `"__metadata__":${jsonValue(r)}`]), must: 'refuse' };
    case 4:
      return { bytes: file(odd(r.pick(['dtype', 'shape', 'data_offsets']))) };
    case 5:
      return { bytes: file(json, r.pick([0n, 1n, 2n ** 53n, 2n ** 64n - 1n, BigInt(r.below(400))])) };
    case 6:
      return { bytes: file([...json, `${jsonString(r, r.pick(NAMES))}:${jsonValue(r)}`]) };
    case 7:
      return { bytes: fileOf(jsonValue(r), data) };
    default:
      return { bytes: spoilt(r, file(json)) };
  }
}

export default {
  promise: 'a safetensors file is read right or refused in one sentence, whatever its header says.',
  rounds: 25,
  start: () => ({
    async round(seed, tally) {
      const r = new Random(seed);
      for (let i = 0; i < 200; i++)
        await attempt(tally, 'safetensors', (bytes) => decodeSafetensors(bytes, 'x.safetensors'), input(r));
    },
  }),
} satisfies Trial;
