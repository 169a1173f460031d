import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readWeights } from '../../src/checkpoints/weights.node.js';
import { FormatError } from '../../src/core/errors.js';
import { encodeNpy } from '../../src/io/npy.js';
import { encodeSafetensors, type StoredTensor } from '../../src/io/safetensors.js';
import { pythonZip } from '../io/torch-python.js';
import { Call, pickle, type Saved, saveStream, saveZip, Tuple, zip } from '../io/torch-save.js';
import { networkOf } from '../support/networks.js';

const folder = mkdtempSync(join(tmpdir(), 'dawngrad-kinds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ascii = (text: string) => new TextEncoder().encode(text);
const write = (name: string, bytes: Uint8Array) => (writeFileSync(join(folder, name), bytes), join(folder, name));
const read = (name: string, bytes: Uint8Array) => readWeights(write(name, bytes));

const network = networkOf({ blocks: [1], widths: [4], stem: 'cifar', head: 'none' });
let keys = 0;
const saved = ({ dtype, shape, data }: StoredTensor): Saved => ({
  storage: {
    type: dtype === 'I64' ? 'LongStorage' : 'FloatStorage',
    key: String(keys++),
    length: data.length,
    bytes: new Uint8Array(data.buffer),
  },
  offset: 0,
  size: shape,
  strides: shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1)),
});
const state = (prefix = '', tensors = network) =>
  new Map([...tensors].map(([name, t]): [string, unknown] => [prefix + name, saved(t)]));
const odd = (type: string, bytes: number): Saved => ({
  storage: { type, key: `odd${type}`, length: 1, bytes: new Uint8Array(bytes) },
  offset: 0,
  size: [1],
  strides: [1],
});

describe('a file that is no checkpoint is named for what it is', () => {
  const member = (name: string) =>
    Buffer.concat([Buffer.from(name.padEnd(257, '\0')), Buffer.from('ustar\0'), Buffer.alloc(300)]);
  it.each<[string, Uint8Array, RegExp]>([
    ['empty.pth', new Uint8Array(0), /must be a checkpoint.*got an empty file\. Download/],
    [
      'pointer.pth',
      ascii('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 94000000\n'),
      /a Git LFS pointer to a file of 89\.6 MiB\. .*git lfs pull/,
    ],
    ['page.pth.tar', ascii('\n<!DOCTYPE html><html>Sign in</html>'), /a web page/],
    ['real.tar', member('moco/checkpoint.pth'), /a tar archive that begins with 'moco\/checkpoint\.pth'\. Unpack it/],
    ['real.tar.gz', gzipSync(member('a.pth')), /a tar archive that begins with 'a\.pth'/],
    ['twice.gz', gzipSync(gzipSync(ascii('x'))), /got gzip data/],
    ['cut.gz', gzipSync(saveZip(state())).subarray(0, 900), /gzip data must unpack.*got 'unexpected end of file'/],
    ['model.onnx', Uint8Array.of(8, 7, 18, 7, ...ascii('pytorch')), /an ONNX model/],
    ['model.gguf', Uint8Array.of(...ascii('GGUF'), 3, 0, 0, 0, 9, 9, 9, 9), /a GGUF file/],
    ['array.npy', encodeNpy(new Float32Array(4), [2, 2]), /a NumPy array/],
    [
      'arrays.npz',
      zip(new Map([['a.npy', encodeNpy(new Float32Array(1), [1])]])),
      /must be PyTorch's.*got NumPy's \(\.npz\)/,
    ],
    [
      'packed.zip',
      zip(new Map([['moco/model.pth', new Uint8Array(3)]])),
      /got one that holds moco\/model\.pth\. Unpack it/,
    ],
    ['word.docx', zip(new Map([['[Content_Types].xml', new Uint8Array(3)]])), /got one of \[Content_Types\]\.xml/],
    ['weights.h5', Uint8Array.of(0x89, ...ascii('HDF\r\n'), 0x1a, 10, 0), /an HDF5 file/],
    ['weights.pkl', Uint8Array.of(0x80, 4, 0x7d, 0x2e), /a pickle that torch\.save did not write/],
    ['picture.pth', Uint8Array.of(0x89, ...ascii('PNG\r\n'), 0x1a, 10), /a picture/],
    ['config.json.txt', ascii('{"model": 3}'), /got JSON/],
    ['notes.pth', ascii('a checkpoint, they said'), /text that begins 'a checkpoint, they said'/],
    ['noise.bin', Uint8Array.from({ length: 64 }, (_, i) => 251 * i + 200), /begins with c8 c3 be b9/],
    ['old.pth', member('sys_info'), /a tar archive that begins with 'sys_info'/],
    ['model.index.json', ascii('{"weight_map": {}}'), /got JSON/],
    [
      'up.index.json',
      ascii('{"weight_map": {"a": "../a.safetensors"}}'),
      /must name files beside it; got "\.\.\/a\.safetensors"/,
    ],
    ['lost.index.json', ascii('{"weight_map": {"a": "lost-1.safetensors"}}'), /lost-1\.safetensors.*ENOENT/],
    [
      'module.pth',
      saveZip(new Call('torchvision.models.resnet', 'ResNet')),
      /got an object of torchvision\.models\.resnet\.ResNet, which is not built\. Save model\.state_dict\(\)/,
    ],
    ['wrapped.pth', saveZip(new Map([['model', new Call('mine', 'Net')]])), /got an object of mine\.Net/],
    ['numbers.pth', saveZip(new Map([['epoch', 3]])), /got one of epoch/],
  ])('%s', async (name, bytes, says) => {
    await expect(read(name, bytes)).rejects.toThrow(says);
    await expect(read(name, bytes)).rejects.toBeInstanceOf(FormatError);
  });

  it('a folder, and a file that is not there', async () => {
    mkdirSync(join(folder, 'empty'));
    await expect(readWeights(join(folder, 'empty'))).rejects.toThrow(/got a folder without a run's config\.json/);
    await expect(readWeights(join(folder, 'nowhere'))).rejects.toThrow(
      /nowhere: it must be a checkpoint that can be read; got 'ENOENT/,
    );
  });
});

describe('a checkpoint from elsewhere', () => {
  it.each<[string, unknown]>([
    [
      'lightning.ckpt',
      new Map<string, unknown>([
        ['state_dict', state('model.backbone.')],
        ['lr_schedulers', [new Call('collections', 'Counter', [new Map([[30, 1]])])]],
        ['hyper_parameters', new Call('argparse', 'Namespace')],
      ]),
    ],
    ['compiled.pth', state('_orig_mod.module.model.backbone.')],
    [
      'nested.pth',
      new Map<string, unknown>([
        ['model', new Map([['backbone', state('module.')]])],
        ['epoch', 3],
      ]),
    ],
    [
      'args.pth',
      new Map<string, unknown>([
        ['args', new Call('argparse', 'Namespace')],
        ['state_dict', state('model.backbone.')],
        ['optimizer', new Call('mine', 'Optimizer')],
      ]),
    ],
  ])('%s is read, whatever else lies in it', async (name, content) => {
    for (const save of [saveZip, saveStream]) {
      const { tensors } = await read(name, save(content));
      const bare = new Map([...tensors].map(([key, t]) => [key.replace(/^(model\.)?backbone\./, ''), t]));
      expect(bare).toEqual(network);
    }
  });

  it('keeps teachers and averages apart', async () => {
    const names = async (content: Map<string, unknown>) =>
      [...(await read('dino.pth', saveZip(content))).tensors.keys()].filter((name) => name.endsWith('.0.conv1.weight'));
    expect(
      await names(
        new Map([
          ['student', state('module.backbone.')],
          ['teacher', state('backbone.')],
        ]),
      ),
    ).toEqual(['student.backbone.layer1.0.conv1.weight', 'teacher.backbone.layer1.0.conv1.weight']);
    expect(
      await names(
        new Map([
          ['model', state()],
          ['model_ema', state()],
        ]),
      ),
    ).toEqual(['layer1.0.conv1.weight', 'model_ema.layer1.0.conv1.weight']);
  });

  it('skips types that are not read, in both formats, and says which', async () => {
    const content = new Map([
      ...state(),
      ['scale', odd('QInt8Storage', 1)],
      ['wave', odd('ComplexFloatStorage', 8)],
      ['mine', new Call('mine', 'Tensor')],
    ]);
    for (const save of [saveZip, saveStream]) {
      const { tensors, skipped } = await read('types.pth', save(content));
      expect(tensors).toEqual(network);
      expect([...skipped!]).toEqual([
        ['scale', 'torch.QInt8Storage'],
        ['wave', 'torch.ComplexFloatStorage'],
        ['mine', 'mine.Tensor'],
      ]);
    }
  });

  it('in several files is read by its index', async () => {
    const parts = [[...network].slice(0, 3), [...network].slice(3)].map((part) => new Map(part));
    parts.forEach((part, i) => write(`model-${i}.safetensors`, encodeSafetensors(part)));
    const map = Object.fromEntries(
      parts.flatMap((part, i) => [...part.keys()].map((name) => [name, `model-${i}.safetensors`])),
    );
    const index = ascii(JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));
    expect((await read('model.safetensors.index.json', index)).tensors).toEqual(network);
  });

  it('packed by gzip is read', async () => {
    expect((await read('packed.pth.gz', gzipSync(saveZip(state())))).tensors).toEqual(network);
  });

  it('whose optimizer is of other parameters is read without it, and says so', async () => {
    const optimizer = new Map<string, unknown>([
      ['state', new Map([[0, new Map([['momentum_buffer', odd('FloatStorage', 4)]])]])],
      ['param_groups', [new Map([['params', [0]]])]],
    ]);
    const { tensors, notes } = await read(
      'other.pth',
      saveZip(
        new Map<string, unknown>([
          ['state_dict', state()],
          ['optimizer', optimizer],
        ]),
      ),
    );
    expect([tensors, notes]).toEqual([
      network,
      ["The optimizer's state is left out: it is of other parameters than the file holds."],
    ]);
  });
});

describe('hostile checkpoints', () => {
  it('tensors that repeat one storage end in a sentence before memory does', async () => {
    const big = saved({ dtype: 'F32', shape: [1000], data: new Float32Array(1000) });
    const many = new Map(Array.from({ length: 3000 }, (_, i): [string, Saved] => [`t${i}`, big]));
    await expect(read('bomb.pth', saveZip(many, true))).rejects.toThrow(
      /tensors must become at most four times the bytes of their file/,
    );
  });

  it('one bit in stored weights is found by their checksum, where there is one', async () => {
    const bytes = new Uint8Array(Buffer.from(pythonZip, 'base64'));
    expect((await read('python.pth', bytes)).tensors.size).toBe(4);
    const weights = Buffer.from(bytes).indexOf(Buffer.from(new Float32Array([0, 1, 2]).buffer));
    bytes[weights + 5] ^= 1;
    await expect(read('flipped.pth', bytes)).rejects.toThrow(
      /x\/data\/0: its bytes must have the checksum \d+; got \d+\. The file is damaged/,
    );
  });

  it('nothing that a pickle names is run', async () => {
    const mark = join(folder, 'mark');
    const calling = (module: string, name: string) =>
      saveZip(new Map<string, unknown>([...state(), ['odd', new Call(module, name, [`touch ${mark}`])]]));
    const { tensors, skipped } = await read('odd.pth', calling('mine', 'system'));
    expect([tensors, [...skipped!]]).toEqual([network, [['odd', 'mine.system']]]);
    await expect(read('evil.pth', calling('os', 'system'))).rejects.toThrow(/must not name what runs.*got os\.system/);
    expect(() => readFileSync(mark)).toThrow(/ENOENT/);
  });

  it('a dictionary that holds another a thousand times, and that one the next', async () => {
    const wide = (value: unknown) =>
      new Map(Array.from({ length: 1100 }, (_, i): [string, unknown] => [`k${i}`, value]));
    const out: number[] = []; // dictionaries are memoised, so that the file has each once
    const text = (s: string) => [0x8c, s.length, ...new TextEncoder().encode(s)];
    out.push(
      0x80,
      4,
      ...pickle(saved({ dtype: 'F32', shape: [1], data: new Float32Array(1) })).slice(2, -1),
      0x71,
      255,
      0x30,
    );
    for (let level = 0; level < 4; level++) {
      out.push(0x7d, 0x28);
      for (const key of wide(0).keys()) out.push(...text(key), 0x68, level === 0 ? 255 : level - 1);
      out.push(0x75, 0x71, level, 0x30);
    }
    out.push(0x68, 3, 0x2e);
    const files = new Map([['a/data.pkl', Uint8Array.from(out)]]);
    await expect(read('wide.pth', zip(files))).rejects.toThrow(/must have at most 1048576 entries together/);
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', 7, /must be named by strings; got a key of another kind \(number\)/],
    ['a tuple', new Tuple([1, 2]), /must be named by strings; got a key of another kind \(a tuple\)/],
    ['two thousand letters', 'a'.repeat(2000), /at most 1024 letters; got one of 2000/],
  ])('a tensor named by %s', async (_, key, says) => {
    const named = new Map<unknown, unknown>([...state(), [key, odd('FloatStorage', 4)]]);
    await expect(read('named.pth', saveZip(named))).rejects.toThrow(says);
  });
});
