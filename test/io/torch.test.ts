import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { torchWeights } from '../../src/checkpoints/layout.js';
import { FormatError } from '../../src/core/errors.js';
import { Inert } from '../../src/io/pickle.js';
import { decodeTorch } from '../../src/io/torch.js';
import { TorchTensor } from '../../src/io/torch-tensor.js';
import { pythonStream, pythonZip } from './torch-python.js';
import { isSaved, pickle, type Saved, saveStream, saveZip, Tuple, zip } from './torch-save.js';

const TYPES: [type: string, bytes: number, read: (v: DataView, at: number) => number | bigint][] = [
  ['FloatStorage', 4, (v, at) => v.getFloat32(at, true)],
  ['DoubleStorage', 8, (v, at) => Math.fround(v.getFloat64(at, true))],
  ['BFloat16Storage', 2, (v, at) => new Float32Array(Uint32Array.of(v.getUint16(at, true) << 16).buffer)[0]],
  ['LongStorage', 8, (v, at) => v.getBigInt64(at, true)],
  ['IntStorage', 4, (v, at) => v.getInt32(at, true)],
  ['ShortStorage', 2, (v, at) => v.getInt16(at, true)],
  ['CharStorage', 1, (v, at) => v.getInt8(at)],
  ['ByteStorage', 1, (v, at) => v.getUint8(at)],
];

/** A window of any shape and strides, axes in any order, into a storage of random bits. */
const saved: fc.Arbitrary<Saved> = fc
  .record({
    type: fc.nat(TYPES.length - 1),
    axes: fc.array(fc.record({ size: fc.nat(3), gap: fc.integer({ min: 1, max: 2 }), rank: fc.nat() }), {
      maxLength: 4,
    }),
    offset: fc.nat(3),
    spare: fc.nat(2),
    key: fc.nat(2),
    parameter: fc.boolean(),
  })
  .chain(({ type, axes, offset, spare, key, parameter }) => {
    const strides = axes.map(() => 0);
    let next = 1;
    for (const i of [...axes.keys()].sort((a, b) => axes[a].rank - axes[b].rank)) {
      strides[i] = next * axes[i].gap;
      next = Math.max(1, strides[i] * axes[i].size);
    }
    const length = offset + next + spare;
    const [name, width] = TYPES[type];
    return fc.uint8Array({ minLength: length * width, maxLength: length * width }).map((bytes) => ({
      storage: { type: name, key: `${name}${key}:${length}:${bytes.slice(0, 4)}`, length, bytes },
      offset,
      size: axes.map((a) => a.size),
      strides,
      parameter,
    }));
  });

/** The same values by indices, one after another. */
function valuesOf({ storage, offset, size, strides }: Saved): (number | bigint)[] {
  const [, width, read] = TYPES.find(([type]) => type === storage.type)!;
  const view = new DataView(storage.bytes.buffer, storage.bytes.byteOffset);
  const walk = (axis: number, at: number): (number | bigint)[] =>
    axis === size.length
      ? [read(view, at * width)]
      : Array.from({ length: size[axis] }, (_, i) => walk(axis + 1, at + i * strides[axis])).flat();
  return walk(0, offset);
}

const contents = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, 255, 256, 65536, -1, -(2 ** 31), 0.1, 1e300, 'Ä 日本', ''),
    saved,
    tie('list'),
    tie('tuple'),
    tie('dict'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }),
  tuple: fc.array(tie('value'), { maxLength: 3 }).map((items) => new Tuple(items)),
  dict: fc
    .array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie('value')), { maxLength: 4 })
    .map((pairs) => new Map(pairs)),
}));

/** Compares what was read with what was written. */
async function expectSame(got: unknown, want: unknown): Promise<void> {
  if (isSaved(want)) {
    expect(got).toBeInstanceOf(TorchTensor);
    const t = await (got as TorchTensor).load();
    expect([t.shape, [...t.data]]).toEqual([want.size, valuesOf(want)]);
  } else if (want instanceof Tuple || Array.isArray(want)) {
    const items = want instanceof Tuple ? want.items : want;
    expect((got as unknown[]).length).toBe(items.length);
    for (const [i, item] of items.entries()) await expectSame((got as unknown[])[i], item);
  } else if (want instanceof Map) {
    expect([...(got as Map<unknown, unknown>).keys()]).toEqual([...want.keys()]);
    for (const [key, item] of want) await expectSame((got as Map<unknown, unknown>).get(key), item);
  } else expect(got).toBe(want);
}

const formats: [string, (value: unknown) => Uint8Array][] = [
  ['zip', (v) => saveZip(v)],
  ['deflated zip', (v) => saveZip(v, true)],
  ['stream', saveStream],
];
const one = (over: Partial<Saved> = {}, storage: Partial<Saved['storage']> = {}): Saved => ({
  storage: {
    type: 'FloatStorage',
    key: '0',
    length: 6,
    bytes: new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer),
    ...storage,
  },
  offset: 0,
  size: [2, 3],
  strides: [3, 1],
  ...over,
});
const state = () =>
  new Map<string, unknown>([
    ['epoch', 3],
    [
      'state_dict',
      new Map([
        ['a', one()],
        ['b', one({ size: [3, 2], strides: [1, 3] })],
      ]),
    ],
  ]);

/** Reads everything there is in a file. */
async function readAll(value: unknown): Promise<void> {
  if (value instanceof TorchTensor) await value.load();
  else if (value instanceof Map || Array.isArray(value)) for (const v of value.values()) await readAll(v);
}

describe.each(formats)('torch.save as %s', (_, save) => {
  it('gives back every container and tensor', async () => {
    await fc.assert(
      fc.asyncProperty(contents.value as fc.Arbitrary<unknown>, async (value) =>
        expectSame(await decodeTorch(save(value), 'x.pth'), value),
      ),
      { numRuns: 60 },
    );
  });

  it('cut anywhere: FormatError', async () => {
    const bytes = save(state());
    for (let end = 0; end < bytes.length; end++)
      await expect(decodeTorch(bytes.subarray(0, end), 'x.pth').then(readAll), `cut at ${end}`).rejects.toBeInstanceOf(
        FormatError,
      );
  });

  it('damaged anywhere: FormatError or other values, nothing else', async () => {
    const bytes = save(state());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        async (hits) => {
          const hurt = bytes.slice();
          for (const [at, value] of hits) hurt[at] = value;
          await decodeTorch(hurt, 'x.pth')
            .then(readAll, (e: unknown) => expect(e).toBeInstanceOf(FormatError))
            .catch((e: unknown) => expect(e).toBeInstanceOf(FormatError));
        },
      ),
      { numRuns: 400 },
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['a storage longer than its bytes', one({ size: [2 ** 30], strides: [1] }, { length: 2 ** 30 }), /bytes/],
    ['a tensor that ends behind its storage', one({ offset: 1 }), /must lie inside its storage of 6 values/],
    [
      'a tensor too large to count',
      one({ size: [2 ** 31 - 1, 2 ** 31 - 1], strides: [0, 0] }),
      /must become at most four times|fewer than 2\^53 values/,
    ],
    ['a negative stride', one({ strides: [3, -1] }), /must be a storage, an offset, sizes and strides/],
    ['as many strides as sizes', one({ strides: [1] }), /must be a storage, an offset, sizes and strides/],
  ])('refuses %s', async (_name, value, says) => {
    const read = Promise.resolve()
      .then(() => decodeTorch(save(value), 'x.pth'))
      .then(readAll);
    await expect(read).rejects.toThrow(says);
    await expect(read).rejects.toBeInstanceOf(FormatError);
  });
});

it.each([
  ['zip', pythonZip],
  ['stream', pythonStream],
])('reads what Python wrote as %s', async (_, file) => {
  const { tensors, metadata } = await torchWeights(await decodeTorch(Buffer.from(file, 'base64'), 'x.pth'), 'x.pth');
  expect(metadata).toMatchObject({ epoch: '200', arch: 'resnet50' });
  expect(Object.fromEntries(tensors)).toEqual({
    'encoder_q.conv1.weight': { dtype: 'F32', shape: [2, 3], data: Float32Array.of(0, 2, 4, 1, 3, 5) },
    'encoder_q.bn1.bias': { dtype: 'F32', shape: [2], data: Float32Array.of(1.5, -2) },
    queue_ptr: { dtype: 'I64', shape: [1], data: BigInt64Array.of(7n) },
    'optimizer.velocity.conv1.weight': { dtype: 'F32', shape: [6], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
  });
});

describe('hostile files', () => {
  const asZip = (bytes: number[]) => zip(new Map([['a/data.pkl', Uint8Array.from(bytes)]]));
  const ascii = (text: string) => [...new TextEncoder().encode(text)];
  it.each<[string, number[], unknown]>([
    [
      'a call of an unknown class',
      [0x80, 2, ...ascii('cmine\nClass\n'), ...ascii('X\x02\0\0\0ls'), 0x85, 0x52, 0x2e],
      new Inert('mine.Class'),
    ],
    [
      'a global by STACK_GLOBAL',
      [0x80, 4, 0x8c, 4, ...ascii('mine'), 0x8c, 5, ...ascii('Class'), 0x93, 0x2e],
      new Inert('mine.Class'),
    ],
    [
      'a call of what is no constructor',
      [0x80, 2, ...ascii('ctorch\nFloatStorage\n'), 0x29, 0x52, 0x2e],
      new Inert('torch.FloatStorage'),
    ],
    [
      'an object that is told its state',
      [0x80, 2, ...ascii('cargparse\nNamespace\n'), 0x29, 0x81, 0x7d, 0x62, 0x2e],
      new Inert('argparse.Namespace'),
    ],
    ['an object by INST', [0x28, ...ascii('imine\nClass\n'), 0x2e], new Inert('mine.Class')],
    ['an object by OBJ', [0x28, ...ascii('cmine\nClass\n'), 0x4e, 0x6f, 0x2e], new Inert('mine.Class')],
    ['an object with keywords', [0x80, 4, ...ascii('cmine\nClass\n'), 0x29, 0x7d, 0x92, 0x2e], new Inert('mine.Class')],
    [
      'a placeholder called with another',
      [...ascii('ccopyreg\n_reconstructor\ncmine\nClass\n'), 0x85, 0x52, 0x2e],
      new Inert('mine.Class'),
    ],
    [
      'a placeholder that is called, filled and called again',
      [...ascii('ca\nb\n'), 0x29, 0x52, 0x4e, 0x61, 0x4e, 0x4e, 0x73, 0x29, 0x52, 0x28, 0x4e, 0x90, 0x2e],
      new Inert('a.b'),
    ],
    [
      'a constructor of the list with a placeholder',
      [...ascii('ctorch._utils\n_rebuild_parameter\nca\nb\n'), 0x85, 0x52, 0x2e],
      new Inert('a.b'),
    ],
    ['a name of the prototype of objects', [...ascii('ctorch\nconstructor\n'), 0x2e], new Inert('torch.constructor')],
    [
      'an integer of 300 bytes',
      [0x80, 2, 0x8b, 44, 1, 0, 0, ...new Array<number>(300).fill(7), 0x2e],
      new Inert('an integer of 300 bytes'),
    ],
    [
      'text of protocol 0',
      [0x28, ...ascii("I7\nL-9L\nF0.5\nS'a'\nVb\np3\ng3\n"), 0x74, 0x2e],
      [7, -9, 0.5, 'a', 'b', 'b'],
    ],
    ['a list in itself', [0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e], expect.any(Array)],
  ])('%s is inert, or what it says', async (_, bytes, want) => {
    expect(await decodeTorch(asZip(bytes), 'x.pth')).toEqual(want);
  });

  const pairs = [0x5d, ...new Array<number[]>(1000).fill([0x4e, 0x4e, 0x86, 0x61]).flat(), 0x85, 0x71, 0, 0x30];
  it.each<[string, number[], RegExp]>([
    [
      'a call with a value for its arguments',
      [...ascii('cmine\nClass\n'), 0x4e, 0x52, 0x2e],
      /must be called with a tuple/,
    ],
    ['a call of a number', [0x4b, 1, 0x29, 0x52, 0x2e], /a constructor must be called; got another value/],
    ['a global named by a list', [0x5d, 0x5d, 0x93, 0x2e], /must have a module and a name/],
    ['attributes of a number', [0x4b, 1, 0x4e, 0x62, 0x2e], /must have attributes/],
    [
      'too many operations',
      [...new Array<number>(6_000_000).fill(0x4e), 0x2e],
      /must take at most .* and 4 times its file/,
    ],
    [
      'a long list given to a constructor again and again',
      [
        ...pairs,
        ...new Array<number[]>(5000).fill([...ascii('ccollections\nOrderedDict\n'), 0x68, 0, 0x52, 0x30]).flat(),
        0x2e,
      ],
      /must take at most .* and 4 times its file/,
    ],
    ['a string of 4 GB', [0x80, 2, 0x58, 255, 255, 255, 255, 0x41, 0x2e], /4294967295 more bytes must follow; got 2/],
    ['a string of 2^63', [0x80, 4, 0x8d, 0, 0, 0, 0, 0, 0, 0, 128, 0x2e], /must be below 2\^53/],
    ['an empty stack', [0x80, 2, 0x2e], /operands on the stack/],
    ['no mark', [0x80, 2, 0x4e, 0x74, 0x2e], /must find a mark/],
    ['a value never remembered', [0x80, 2, 0x68, 7, 0x2e], /must be remembered before it is recalled/],
    ['no end', [0x80, 2, 0x4e], /1 more bytes must follow/],
    [
      'a pickle of a dictionary of pairs that are none',
      [0x80, 2, ...ascii('ccollections\nOrderedDict\n'), 0x5d, 0x4e, 0x61, 0x85, 0x52, 0x2e],
      /must be made of pairs/,
    ],
  ])('%s ends in one FormatError', async (_, bytes, says) => {
    await expect(decodeTorch(asZip(bytes), 'x.pth')).rejects.toThrow(says);
    await expect(decodeTorch(asZip(bytes), 'x.pth')).rejects.toBeInstanceOf(FormatError);
  });

  it('tuples in each other to a depth that Python has, and not beyond', async () => {
    const nest = (depth: number) => asZip([0x80, 2, 0x29, ...new Array<number>(depth).fill(0x85), 0x2e]);
    await decodeTorch(nest(900), 'x.pth');
    await expect(decodeTorch(nest(50_000), 'x.pth')).rejects.toThrow(/at most 1000 in each other/);
  });

  it('a deflated file that unpacks to more than it says is stopped', async () => {
    const bytes = saveZip(new Map([['x', 'y'.repeat(100_000)]]), true);
    const view = new DataView(bytes.buffer);
    const at = bytes.findIndex((_, i) => i + 4 < bytes.length && view.getUint32(i, true) === 0x02014b50);
    view.setUint32(at + 24, 10, true);
    view.setUint32(22, 10, true);
    await expect(decodeTorch(bytes, 'x.pth')).rejects.toThrow(/must unpack to 10 bytes; got more/);
  });

  it('an archive of something else, and big-endian numbers', async () => {
    await expect(decodeTorch(zip(new Map([['word/document.xml', Uint8Array.of(1)]])), 'x.docx')).rejects.toThrow(
      /must be PyTorch's, with data\.pkl; got one of word\/document\.xml/,
    );
    const big = new Map([
      ['a/data.pkl', pickle(null)],
      ['a/byteorder', new TextEncoder().encode('big')],
    ]);
    await expect(decodeTorch(zip(big), 'x.pth')).rejects.toThrow(/must be little-endian; got big-endian ones/);
  });
});
