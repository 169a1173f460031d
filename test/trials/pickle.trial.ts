import { torchWeights } from '../../src/checkpoints/layout.js';
import { decodeTorch } from '../../src/io/torch.js';
import { TorchTensor } from '../../src/io/torch-tensor.js';
import { type Saved, saveStream, saveZip, zip } from '../io/torch-save.js';
import { attempt, type Input } from './attempt.js';
import { NAMES, spoilt } from './json-text.js';
import { Random } from './random.js';
import type { Trial } from './trial.js';

type Bytes = number[];
const utf8 = (text: string): Bytes => [...new TextEncoder().encode(text)];
const le = (value: number, bytes: number): Bytes =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
const text = (s: string): Bytes => [0x58, ...le(utf8(s).length, 4), ...utf8(s)];

const GLOBALS = [
  'torch._utils\n_rebuild_tensor_v2',
  'torch._utils\n_rebuild_tensor',
  'torch._utils\n_rebuild_parameter',
  'torch._tensor\n_rebuild_from_type_v2',
  'torch.nn.parameter\nParameter',
  'collections\nOrderedDict',
  'collections\ndefaultdict',
  'torch\nSize',
  'torch\nFloatStorage',
  'torch\nBoolStorage',
  'torch\nComplexFloatStorage',
  'mine\nClass',
  'os\nsystem',
];
const KEYS = [
  'state_dict',
  'model',
  'optimizer',
  'state',
  'param_groups',
  'params',
  'epoch',
  'arch',
  'exp_avg',
  'step',
];
const COUNTS = [0, 1, 2, 3, 4, 255, 256, 65535, 2 ** 31 - 1, -1];

/** Grammar of pickles: each rule leaves one value on the stack. */
class Grammar {
  readonly r: Random;

  constructor(r: Random) {
    this.r = r;
  }

  /** Any value; the odder, the rarer. */
  value(depth: number): Bytes {
    const { r } = this;
    const leaf = depth <= 0;
    switch (r.below(leaf ? 7 : 20)) {
      case 0:
        return r.pick([[0x4e], [0x88], [0x89], [0x29], [0x5d], [0x7d], [0x8f]]);
      case 1:
        return this.count();
      case 2:
        return text(r.pick(r.once(2) ? KEYS : NAMES));
      case 3:
        return [0x68, r.below(4)]; // BINGET
      case 4:
        return r.pick([utf8('I7\n'), utf8('Lnan\n'), utf8('F1e999\n'), utf8("S'a'\n"), utf8('Vé\n'), utf8('g2\n')]);
      case 5:
        return [0x8a, r.below(12), ...r.bytes(12)];
      case 6:
        return [0x47, ...r.bytes(8)];
      case 7: // one value in a tuple with itself, again and again: a text of it would have 2^40 parts
        return [...this.value(depth - 1), ...Array.from({ length: 40 }, () => [0x32, 0x86]).flat()];
      case 8:
        return [...this.value(depth - 1), 0x71, r.below(4)];
      case 9:
      case 10:
        return this.dict(depth);
      case 11:
        return [0x28, ...r.some(4, () => this.value(depth - 1)).flat(), r.pick([0x74, 0x6c, 0x91, 0x64])];
      case 12:
        return [0x5d, 0x28, ...r.some(4, () => this.value(depth - 1)).flat(), 0x65];
      case 13:
        return this.call(depth);
      case 14:
        return [...this.value(depth - 1), ...this.value(depth - 1), r.pick([0x61, 0x62, 0x52, 0x81, 0x93, 0x86])];
      case 15:
        return [...this.storage(depth), 0x51];
      default:
        return this.tensor(depth);
    }
  }

  /** Now and then anything in place of what belongs there. */
  part(depth: number, sound: () => Bytes): Bytes {
    return this.r.once(14) ? this.value(depth - 1) : sound();
  }

  count(): Bytes {
    return this.r.once(20) ? [0x8b, 8, 0, 0, 0, ...this.r.bytes(8)] : [0x4a, ...le(this.r.pick(COUNTS) >>> 0, 4)];
  }

  counts(depth: number): Bytes {
    const small = () => this.part(depth, () => (this.r.once(8) ? this.count() : [0x4b, this.r.below(4)]));
    return [0x28, ...small(), ...small(), 0x74];
  }

  dict(depth: number): Bytes {
    const pairs = this.r.some(5, () => [
      ...this.part(depth, () => text(this.r.pick(this.r.once(2) ? KEYS : NAMES))),
      ...this.value(depth - 1),
    ]);
    return [0x7d, 0x71, this.r.below(4), 0x28, ...pairs.flat(), 0x75];
  }

  call(depth: number): Bytes {
    const { r } = this;
    const name = [0x63, ...utf8(`${r.pick(GLOBALS)}\n`)];
    const args = [0x28, ...r.some(4, () => this.value(depth - 1)).flat(), 0x74];
    return r.pick([
      [...name, ...args, 0x52],
      [...name, ...args, 0x81],
      [...name, ...args, 0x7d, 0x92],
      [0x28, ...name, ...args, 0x6f],
      [0x28, ...args, 0x69, ...name.slice(1)],
    ]);
  }

  storage(depth: number): Bytes {
    const { r } = this;
    return [
      0x28,
      ...this.part(depth, () => text('storage')),
      ...this.part(depth, () => [0x63, ...utf8(`torch\n${r.pick(['Float', 'Char', 'Half', 'Long'])}Storage\n`)]),
      ...this.part(depth, () => text(r.pick(['0', '1', '__proto__']))),
      ...text('cpu'),
      ...this.part(depth, () => (r.once(4) ? this.count() : [0x4b, 16])),
      0x74,
    ];
  }

  tensor(depth: number): Bytes {
    return [
      ...[0x63, ...utf8(`${this.r.once(20) ? this.r.pick(GLOBALS) : GLOBALS[0]}\n`), 0x28],
      ...this.part(depth, () => [...this.storage(depth), 0x51]),
      ...this.part(depth, () => [0x4b, this.r.below(3)]),
      ...this.part(depth, () => this.counts(depth)),
      ...this.part(depth, () => this.counts(depth)),
      ...[0x89, 0x7d, 0x74, 0x52],
    ];
  }
}

const archive = (pickle: Uint8Array, deflate: boolean): Uint8Array =>
  zip(
    new Map([
      ['a/data.pkl', pickle],
      ['a/data/0', new Uint8Array(128)],
      ['a/data/1', new Uint8Array(64)],
    ]),
    deflate,
  );

/** A state dict whose values are told again when it is read. */
function sound(r: Random): Input {
  const tensors = new Map<string, Saved>();
  for (let i = r.below(4) + 1; i > 0; i--) {
    const size = r.some(3, () => 1 + r.below(3));
    const length = size.reduce((n, d) => n * d, 1);
    const bytes = new Uint8Array(Float32Array.from({ length }, () => r.below(99)).buffer);
    const strides = size.map((_, axis) => size.slice(axis + 1).reduce((n, d) => n * d, 1));
    tensors.set(`layer.${i}`, {
      storage: { type: 'FloatStorage', key: `${i}`, length, bytes },
      offset: 0,
      size,
      strides,
    });
  }
  return {
    bytes: r.once(2) ? saveStream(tensors) : saveZip(tensors, r.once(50)),
    must: 'read',
    right: ({ weights }) => {
      const wrong = [...tensors].find(
        ([name, { storage }]) => String(weights?.get(name)?.data) !== String(new Float32Array(storage.bytes.buffer)),
      );
      return wrong && `other values of ${wrong[0]}`;
    },
  };
}

function input(r: Random): Input {
  const kind = r.below(8);
  if (kind === 0) return sound(r);
  if (kind === 1) return { bytes: spoilt(r, sound(r).bytes) };
  const pickle = Uint8Array.from([0x80, 2, ...new Grammar(r).value(5).slice(0, 20_000), 0x2e]);
  const bytes = archive(kind === 2 ? spoilt(r, pickle) : pickle, r.once(100));
  return { bytes: kind === 3 ? spoilt(r, bytes) : bytes };
}

/** Everything that is read of a checkpoint: each tensor, and the weights as encoders find them. */
async function readAll(bytes: Uint8Array): Promise<unknown> {
  const content = await decodeTorch(bytes, 'x.pth');
  const seen = new Set<unknown>();
  const loaded: unknown[] = [];
  const left = [content];
  while (left.length > 0) {
    const v = left.pop();
    if (seen.has(v)) continue;
    seen.add(v);
    if (v instanceof TorchTensor) loaded.push(await v.load());
    else if (v instanceof Map) left.push(...[...v].flat());
    else if (Array.isArray(v) || v instanceof Set) left.push(...v);
  }
  const weights = content instanceof Map ? (await torchWeights(content, 'x.pth')).tensors : undefined;
  return { weights, loaded: weights ? [] : loaded };
}

export default {
  promise: 'a PyTorch file is read right or refused in one sentence, whatever its pickle and its archive say.',
  rounds: 25,
  start: () => ({
    async round(seed, tally) {
      const r = new Random(seed);
      for (let i = 0; i < 100; i++) await attempt(tally, 'PyTorch files', readAll, input(r));
    },
  }),
} satisfies Trial;
