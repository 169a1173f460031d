import { readCheckpointFile, readRunFile } from '../../src/checkpoints/run-files.js';
import { FormatError } from '../../src/core/errors.js';
import { version } from '../../src/core/version.js';
import { parseCifar10 } from '../../src/data/cifar.js';
import { parseIdx } from '../../src/data/idx.js';
import { objectsIn } from '../../src/io/json.js';
import { encodeNpy } from '../../src/io/npy.js';
import { OnnxGraph } from '../../src/io/onnx-graph.js';
import { StepLog } from '../../src/io/step-log.js';
import { summaryEvent } from '../../src/io/tensorboard.js';
import { tfRecord, wholeRecords } from '../../src/io/tfrecord.js';
import { demoConfig } from '../../src/moco/config.js';
import { attempt, type Input, type Reader } from './attempt.js';
import { jsonString, jsonValue, NAMES, spoilt } from './json-text.js';
import { Random } from './random.js';
import type { Trial } from './trial.js';
import { readNpy, readProto } from './written.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** A format: what reads it, and what makes a file of it. */
interface Format {
  read: Reader;
  make(r: Random): Input;
}

const SIZES = [0, 1, 2, 3, 28, 65535, 65536, 2 ** 31, 2 ** 32 - 1];

const idx: Format = {
  read: (bytes) => parseIdx(bytes, 'x'),
  make(r) {
    const axes = r.pick([1, 3]);
    const sizes = Array.from({ length: axes }, () => (r.once(4) ? r.pick(SIZES) : 1 + r.below(6)));
    const wanted = sizes.reduce((n, d) => n * d, 1);
    const data = r.bytes(wanted > 4000 || r.once(5) ? r.below(300) : wanted);
    const bytes = new Uint8Array(4 + 4 * axes + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, axes === 3 ? 0x803 : 0x801);
    for (const [i, d] of sizes.entries()) view.setUint32(4 + 4 * i, d);
    bytes.set(data, 4 + 4 * axes);
    if (r.once(4)) return { bytes: spoilt(r, bytes) };
    const sound = wanted > 0 && wanted === data.length;
    return {
      bytes,
      must: sound ? 'read' : 'refuse',
      right: ({ count, data: pixels, labels }) =>
        count === sizes[0] && [...data].every((v, i) => (pixels ? pixels[3 * i] : labels[i]) === v)
          ? undefined
          : 'other values',
    };
  },
};

const RECORD = 3073;

const cifar: Format = {
  read: (bytes) => parseCifar10(bytes, 'x'),
  make(r) {
    const count = r.below(3);
    const bytes = new Uint8Array(count * RECORD + (r.once(3) ? r.pick([1, 3072, RECORD - 2]) : 0));
    const labels = Array.from({ length: count }, () => (r.once(5) ? r.pick([10, 255]) : r.below(10)));
    for (const [n, label] of labels.entries()) bytes[n * RECORD] = label;
    if (bytes.length > 0) bytes[bytes.length - 1] = r.below(10);
    const sound = count > 0 && bytes.length === count * RECORD && labels.every((l) => l < 10);
    return {
      bytes,
      must: sound ? 'read' : 'refuse',
      right: (value) => (String([...value.labels]) === String(labels) ? undefined : 'other labels'),
    };
  },
};

/** What is appended to a file that was cut: all records before the damage are kept, and no other. */
const tfevents: Format = {
  read: wholeRecords,
  make(r) {
    const records = r.some(4, (i) => tfRecord(summaryEvent(1, i, { [r.pick(NAMES)]: { scalar: i } })));
    const ends = records.map((_, i) => records.slice(0, i + 1).reduce((n, part) => n + part.length, 0));
    const bytes = joined(...records, r.bytes(r.below(20)));
    const at = r.below(bytes.length + 1);
    const cut = r.once(2) ? bytes.slice(0, at) : bytes;
    if (cut === bytes && at < bytes.length) bytes[at] ^= 1 << r.below(8);
    const whole = ends.filter((end) => end <= at).at(-1) ?? 0;
    return { bytes: cut, must: 'read', right: (kept) => (kept === whole ? undefined : `kept ${kept} of ${whole}`) };
  },
};

const FIELDS = ['step', 'epoch', 'loss', 'contrastTop1', 'lr', 'run', 'skipped', 'knn', '__proto__'];

const metrics: Format = {
  read(bytes) {
    const log = new StepLog();
    for (const line of objectsIn(decoded(bytes), 'metrics.jsonl')) if ('loss' in line) log.add(line as never);
    return log.steps.length;
  },
  make(r) {
    const line = () =>
      `{${FIELDS.flatMap((name) => {
        const value = r.once(9) ? jsonValue(r) : r.below(99);
        return r.once(3) ? [] : [`"${name}":${value}`];
      }).join()}}`;
    const steps = r.below(6);
    const sound = Array.from(
      { length: steps },
      (_, i) => `{"step":${i + 1},"epoch":1,"loss":${r.pick(['null', '1.5'])},"contrastTop1":0,"lr":0.1}`,
    );
    const end = '{"step":9,"lo';
    if (r.once(3))
      return {
        bytes: utf8([...sound, end].join('\n')),
        must: 'read',
        right: (n) => (n === steps ? undefined : `${n} of ${steps} steps`),
      };
    if (r.once(3))
      return {
        bytes: utf8([...sound, r.pick(['1', 'null', '[]', '"x"', '{"a":1,"a":1}']), ''].join('\n')),
        must: 'refuse',
      };
    const bytes = utf8([...r.some(4, line), jsonValue(r)].join('\n'));
    return { bytes: r.once(3) ? spoilt(r, bytes) : bytes };
  },
};

const SETTINGS = Object.entries(demoConfig);

const config: Format = {
  read: (bytes) => readRunFile(decoded(bytes), 'config.json'),
  make(r) {
    const field = ([name, value]: [string, unknown], odd: boolean) =>
      `${jsonString(r, name)}:${odd ? jsonValue(r) : JSON.stringify(value)}`;
    const odd = r.below(4);
    const bad = r.pick(SETTINGS);
    const settings = SETTINGS.filter(([name]) => name === 'model' || !r.once(12)).map((s) =>
      field(s, odd === 1 && s === bad),
    );
    if (odd === 2) settings.push(field(r.pick(SETTINGS), true), field([r.pick(NAMES), 1], false));
    const about: [string, unknown][] = [
      ['version', version],
      ['data', 'x'],
      ['adapter', 'y'],
      ['command', 'z'],
      ['seed', 1],
    ];
    const fields = about.map((f) => field(f, odd === 3 && r.once(4)));
    const bytes = utf8(`{${[...fields, `"config":{${settings.join()}}`, '"choice":{}'].join()}}`);
    if (odd === 0 && r.once(2)) return { bytes: spoilt(r, bytes) };
    return { bytes, must: odd === 0 ? 'read' : odd === 2 ? 'refuse' : undefined };
  },
};

/** Metadata of a checkpoint, which programs may have written: anything that JSON can say. */
const metadata: Format = {
  read(bytes) {
    let value: unknown;
    try {
      value = JSON.parse(decoded(bytes));
    } catch {
      throw new FormatError('metadata: it must be JSON; got other text. It is not the metadata of a file.');
    }
    return readCheckpointFile(Object(value), 'checkpoint.safetensors');
  },
  make(r) {
    const about = Object.entries({
      format: 'dawngrad-moco',
      version,
      step: 3,
      metrics: '5',
      method: 'moco',
      model: 'resnet-tiny',
      pictures: '7',
    });
    const odd = r.once(2);
    const fields = about.map(
      ([name, value]) => `${jsonString(r, name)}:${odd && r.once(4) ? jsonValue(r) : JSON.stringify(value)}`,
    );
    const bytes = utf8(`{${fields.join()}}`);
    if (!odd) return { bytes, must: 'read', right: ({ step }) => (step === 3 ? undefined : `step ${step}`) };
    return { bytes };
  },
};

/** What is written is read back by a reader that shares nothing with the writer. */
const npy: Format = {
  read: readNpy,
  make(r) {
    const shape = r.some(4, () => r.below(4));
    const values = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => r.word());
    return {
      bytes: encodeNpy(values, shape),
      must: 'read',
      right: (value) =>
        String(value.shape) === String(shape) && String(value.data) === String(values) ? undefined : 'other values',
    };
  },
};

const onnx: Format = {
  read: readProto,
  make(r) {
    const graph = new OnnxGraph();
    const names = r.some(6, () => r.pick(NAMES));
    for (const name of names) graph.constant(name, [2], Float32Array.of(r.word(), 1));
    const said = graph.input(r.pick(NAMES), [r.pick(NAMES), r.below(2 ** 31)]);
    graph.output(said, [1]);
    return {
      bytes: graph.finish(r.pick(NAMES)),
      must: 'read',
      right(model: ReturnType<typeof readProto>) {
        const inside = (fields: typeof model, field: number) =>
          fields.flatMap(([n, value]) => (n === field ? [value as Uint8Array] : []));
        const tensors = inside(readProto(inside(model, 7)[0]), 5).map(readProto);
        const read = tensors.map((t) => decoded(inside(t, 8)[0]));
        return read.join() === names.map((name) => decoded(utf8(name))).join() ? undefined : `names ${read}`;
      },
    };
  },
};

const formats: Record<string, Format> = {
  IDX: idx,
  'CIFAR-10': cifar,
  tfevents,
  metrics,
  'config.json': config,
  metadata,
  npy,
  ONNX: onnx,
};

export default {
  promise:
    'pictures, logs and configurations are read right or refused in one sentence, and what is written is read back.',
  rounds: 10,
  start: () => ({
    async round(seed, tally) {
      const r = new Random(seed);
      for (const [name, { read, make }] of Object.entries(formats))
        for (let i = 0; i < 50; i++) await attempt(tally, name, read, make(r));
    },
  }),
} satisfies Trial;
