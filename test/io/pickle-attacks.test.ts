import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mostUnpacked } from '../../src/core/unpacked.js';
import { gunzipped } from '../../src/data/gunzip.node.js';
import { decodeTorch } from '../../src/io/torch.js';
import { TorchTensor } from '../../src/io/torch-tensor.js';
import { readZip } from '../../src/io/zip.js';
import { pickle, type Saved, saveZip, zip } from './torch-save.js';

const ascii = (text: string) => [...new TextEncoder().encode(text)];
const short = (text: string) => [0x8c, text.length, ...ascii(text)];
const asZip = (bytes: number[]) => zip(new Map([['a/data.pkl', Uint8Array.from(bytes)]]));
const read = (bytes: Uint8Array) => Promise.resolve().then(() => decodeTorch(bytes, 'x.pth'));

/** Every opcode that reaches a global, told by module and name. */
const WAYS: [string, (module: string, name: string) => number[]][] = [
  ['GLOBAL', (module, name) => ascii(`c${module}\n${name}\n`)],
  ['GLOBAL and REDUCE', (module, name) => [...ascii(`c${module}\n${name}\n`), ...short('id'), 0x85, 0x52]],
  ['GLOBAL and BUILD', (module, name) => [...ascii(`c${module}\n${name}\n`), 0x29, 0x81, 0x7d, 0x62]],
  ['NEWOBJ', (module, name) => [...ascii(`c${module}\n${name}\n`), 0x29, 0x81]],
  ['NEWOBJ_EX', (module, name) => [...ascii(`c${module}\n${name}\n`), 0x29, 0x7d, 0x92]],
  ['INST', (module, name) => [0x28, ...short('id'), ...ascii(`i${module}\n${name}\n`)]],
  ['OBJ', (module, name) => [0x28, ...ascii(`c${module}\n${name}\n`), ...short('id'), 0x6f]],
  ['STACK_GLOBAL', (module, name) => [...short(module), ...short(name), 0x93]],
  [
    'STACK_GLOBAL of names out of the memo',
    (module, name) => [...short(name), 0x71, 1, 0x30, ...short(module), 0x71, 2, 0x30, 0x68, 2, 0x68, 1, 0x93],
  ],
  [
    'STACK_GLOBAL by a dotted path of another module',
    (module, name) => [...short('torch'), ...short(`serialization.${module}.${name}`), 0x93],
  ],
  ['a global left behind in a tuple', (module, name) => [...ascii(`c${module}\n${name}\n`), 0x85, 0x30, 0x4e]],
];

/** What public attacks on pickles name. */
const TARGETS: [string, string][] = [
  ['os', 'system'],
  ['posix', 'system'],
  ['nt', 'system'],
  ['subprocess', 'Popen'],
  ['builtins', 'eval'],
  ['builtins', 'exec'],
  ['__builtin__', 'compile'],
  ['builtins', '__import__'],
  ['runpy', '_run_code'],
  ['importlib', 'import_module'],
  ['webbrowser', 'open'],
  ['pty', 'spawn'],
  ['socket', 'create_connection'],
  ['operator', 'attrgetter'],
  ['types', 'FunctionType'],
  ['shutil', 'rmtree'],
  ['pip', 'main'],
  ['asyncio', 'create_subprocess_shell'],
];

describe.each(WAYS)('%s', (_, way) => {
  it.each(TARGETS)('of %s.%s is refused', async (module, name) => {
    await expect(read(asZip([0x80, 4, ...way(module, name), 0x2e]))).rejects.toThrow(
      `x.pth: a checkpoint must not name what runs programs or reaches out; got `,
    );
  });
});

describe('names', () => {
  it.each([
    [0x82, [9]],
    [0x83, [9, 1]],
    [0x84, [9, 1, 0, 0]],
  ])('an extension code (opcode %i) is refused', async (opcode, code) => {
    await expect(read(asZip([0x80, 2, opcode, ...code, 0x2e]))).rejects.toThrow(/must name its classes; got extension/);
  });

  it('are of the list only by their exact module and name', async () => {
    const called = (module: string, name: string) =>
      read(asZip([0x80, 4, ...short(module), ...short(name), 0x93, 0x29, 0x52, 0x2e]));
    expect(await called('collections', 'OrderedDict')).toEqual(new Map());
    for (const [module, name] of [
      ['', 'collections.OrderedDict'],
      ['collections.OrderedDict', ''],
      ['Collections', 'OrderedDict'],
      ['collections', 'OrderedDict '],
      ['collections', 'OrderedDict\0'],
    ])
      expect(await called(module, name)).not.toBeInstanceOf(Map);
    expect(await called('torch', '_utils._rebuild_tensor_v2')).toMatchObject({
      name: 'torch._utils._rebuild_tensor_v2',
    });
  });
});

const one = (over: Partial<Saved> = {}): Saved => ({
  storage: { type: 'FloatStorage', key: '0', length: 6, bytes: new Uint8Array(24) },
  offset: 0,
  size: [2, 3],
  strides: [3, 1],
  ...over,
});

describe('tensors', () => {
  it('keep the sizes they were made with, though the lists in the file grow', async () => {
    const made = [...pickle(one()).slice(2, -1)];
    const tuple = ascii('K\x02K\x03').join();
    const at = made.findIndex((_, i) => made.slice(i, i + 4).join() === tuple) - 1; // the mark before the sizes
    const list = [0x5d, 0x71, 9, 0x28, 0x4b, 2, 0x4b, 3, 0x65];
    const end = made.indexOf(0x74, at) + 1;
    const grown = [...made.slice(0, at), ...list, ...made.slice(end)];
    const t = (await read(
      zip(
        new Map([
          ['a/data.pkl', Uint8Array.from([0x80, 2, ...grown, 0x68, 9, 0x4a, 255, 255, 255, 127, 0x61, 0x30, 0x2e])],
          ['a/data/0', new Uint8Array(24)],
        ]),
      ),
    )) as TorchTensor;
    expect(t).toBeInstanceOf(TorchTensor);
    expect((await t.load()).shape).toEqual([2, 3]);
    expect(() => (t.shape as number[]).push(1)).toThrow(TypeError);
  });

  it.each([
    ['a stride of zero', one({ size: [1_000_000, 6], strides: [0, 1] })],
    ['strides that overlap', one({ size: [1_000_000, 2, 3], strides: [0, 1, 1] })],
  ])('of %s count by what they become', async (_, hostile) => {
    const t = (await read(saveZip(hostile))) as TorchTensor;
    await expect(t.load()).rejects.toThrow(/must become at most four times the bytes of their file/);
  });

  it('are read as often as anyone likes', async () => {
    const t = (await read(saveZip(one({ size: [40_000], strides: [0] })))) as TorchTensor;
    for (let i = 0; i < 20; i++) expect((await t.load()).data.length).toBe(40_000);
  });
});

describe('zip', () => {
  const files = new Map([
    ['a/data.pkl', pickle(1)],
    ['a/data/0', new Uint8Array(64).fill(7)],
  ]);
  const sound = () => zip(files).slice();
  const central = (bytes: Uint8Array) => Buffer.from(bytes).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const end = (bytes: Uint8Array) => bytes.length - 22;
  const set = (at: (b: Uint8Array) => number, ...values: number[]) => {
    const bytes = sound();
    bytes.set(values, at(bytes));
    return bytes;
  };
  const both = (offset: number, ...values: number[]) => {
    const bytes = sound();
    bytes.set(values, central(bytes) + offset);
    bytes.set(values, offset - 2);
    return bytes;
  };
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
  it('that is sound is read', () => expect([...readZip(sound(), 'x').keys()]).toEqual([...files.keys()]));

  it.each<[string, () => Uint8Array, RegExp]>([
    ['an encrypted flag', () => both(8, 1), /encrypted or patched file, flags 1/],
    ['a flag in the directory alone', () => set((b) => central(b) + 8, 1), /encrypted or patched/],
    ['a flag in the header alone', () => set(() => 6, 8), /the directory tells otherwise/],
    ['a masked header', () => both(8, 0, 0x20), /encrypted or patched/],
    ['another method in the header', () => set(() => 8, 8), /the directory tells otherwise/],
    ['another name in the header', () => set(() => 30, 0x62), /the directory tells otherwise/],
    ['another size in the header', () => set(() => 18, 9), /the directory tells otherwise/],
    [
      'two directories, one in the note',
      () => {
        const first = sound();
        const second = zip(new Map([['b/data.pkl', pickle(2)]]));
        new DataView(first.buffer).setUint16(first.length - 2, second.length, true);
        return joined(first, second);
      },
      /two directories|a directory that ends/,
    ],
    ['two archives one after another', () => joined(sound(), sound()), /a directory that ends|a file at byte/],
    ['something in front', () => joined(Uint8Array.of(1, 2, 3, 4), sound()), /a directory that ends at/],
    ['something behind', () => joined(sound(), Uint8Array.of(1)), /no end of the directory/],
    ['a directory longer than its entries', () => set((b) => end(b) + 12, 1), /a directory that ends at/],
    ['fewer files than the directory has', () => set((b) => end(b) + 8, 1, 0, 1, 0), /a directory of .* bytes of/],
    [
      'two files of one name',
      () => {
        const bytes = zip(
          new Map([
            ['a/data.pkl', pickle(1)],
            ['b/data.pkl', pickle(2)],
          ]),
        );
        return Uint8Array.from(
          Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('b/data', 'a/data'), 'latin1'),
        );
      },
      /two files called a\/data\.pkl/,
    ],
    [
      'files that share bytes',
      () => {
        const bytes = sound();
        const second = Buffer.from(bytes).lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
        new DataView(bytes.buffer).setUint32(second + 42, 0, true);
        return bytes;
      },
      /the directory tells otherwise|a file at byte 0/,
    ],
    [
      'bytes between files',
      () => {
        const [first] = [zip(new Map([['a/data.pkl', pickle(1)]]))];
        const directory = central(first);
        const out = joined(first.slice(0, directory), new Uint8Array(40), first.slice(directory));
        new DataView(out.buffer).setUint32(out.length - 6, directory + 40, true);
        return out;
      },
      /a directory at byte/,
    ],
  ])('with %s is refused', (_, bytes, says) => {
    expect(() => readZip(bytes(), 'x.pth')).toThrow(says);
  });

  it('two pickles are not one checkpoint', async () => {
    const two = zip(
      new Map([
        ['a/data.pkl', pickle(1)],
        ['b/data.pkl', pickle(2)],
      ]),
    );
    await expect(read(two)).rejects.toThrow(/must hold one data\.pkl; got 2/);
  });

  it('unpacks to a stated share of its bytes at most, and gzip too', async () => {
    const zeros = new Uint8Array(2 ** 25);
    expect(mostUnpacked(1000)).toBe(2 ** 24 + 64_000);
    expect(() => readZip(zip(new Map([['a/data.pkl', zeros]]), true), 'x.pth')).toThrow(/must unpack to at most/);
    await expect(gunzipped(gzipSync(zeros), 'x.gz')).rejects.toThrow(/must unpack to at most/);
    expect((await gunzipped(gzipSync(zeros.subarray(0, 2 ** 24)), 'x.gz')).length).toBe(2 ** 24);
  });
});
