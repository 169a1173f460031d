import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src/io/png.js';
import { decodeSafetensors, type StoredTensor } from '../../src/io/safetensors.js';
import { saveStream, saveZip } from '../io/torch-save.js';
import { builtCommand } from '../support/cli.js';
import { released } from '../support/released.js';

const built = builtCommand('weights');
const { folder } = built;
const dawngrad = (...args: string[]) => built.run(args);

const read = (name: string) => decodeSafetensors(readFileSync(join(folder, name)), name).tensors;
let run: Map<string, StoredTensor>;

beforeAll(async () => {
  const ended = await dawngrad('pretrain', '--count', '60', '--size', '16', '--epochs', '1', '--batch', '16', '--K', '32', '--knn', '5', '--out', 'run');
  expect([ended.code, ended.err]).toEqual([0, expect.any(String)]);
  run = read('run/checkpoint.safetensors');
  writeFileSync(join(folder, 'packed.bin'), new Uint8Array(3073));
  mkdirSync(join(folder, 'photos/a'), { recursive: true });
  mkdirSync(join(folder, 'photos/b'));
  for (let i = 0; i < 6; i++) writeFileSync(join(folder, `photos/${'ab'[i % 2]}/${i}.png`), await encodePng(Uint8Array.from({ length: 16 * 16 * 3 }, (_, j) => (i * 37 + j * (i + 1)) % 256), 16, 16));
});

describe('dawngrad convert', () => {
  it.each([['zip', saveZip], ['stream', saveStream]] as const)('a released checkpoint as %s becomes a run that trains on', async (name, save) => {
    writeFileSync(join(folder, `${name}.pth.tar`), save(released(run)));
    expect(await dawngrad('convert', `${name}.pth.tar`, `${name}.safetensors`)).toMatchObject({ code: 0, err: '' });
    expect(Object.fromEntries(read(`${name}.safetensors`))).toEqual(Object.fromEntries(run));
    const flags = ['--data', 'photos', '--epochs', '1', '--batch', '4', '--size', '16', '--held-out', '0', '--splits', '2'];
    expect(await dawngrad('convert', `${name}.pth.tar`, `run-${name}`, ...flags)).toMatchObject({ code: 0, err: '' });
    expect(Object.fromEntries(read(`run-${name}/checkpoint.safetensors`))).toEqual(Object.fromEntries(run));
    const resumed = await dawngrad('pretrain', '--resume', `run-${name}`, '--quiet');
    expect([resumed.code, resumed.err]).toEqual([0, '']);
    expect(read(`run-${name}/checkpoint.safetensors`).get('encoder_q.conv1.weight')).not.toEqual(run.get('encoder_q.conv1.weight'));
  });

  it('a checkpoint of MoCo v3 becomes a run of its model that trains on', async () => {
    expect((await dawngrad('pretrain', '--preset', 'v3-vit-demo', '--count', '40', '--size', '16', '--epochs', '1', '--warmup', '0', '--batch', '16', '--held-out', '0', '--out', 'v3')).code).toBe(0);
    writeFileSync(join(folder, 'v3.pth.tar'), saveZip(released(read('v3/checkpoint.safetensors'), { steps: 2 })));
    const { code, out } = await dawngrad('convert', 'v3.pth.tar', 'run-v3', '--data', 'photos', '--epochs', '2', '--batch', '6', '--held-out', '0', '--seed', '3');
    expect([code, out]).toEqual([0, 'run-v3: a run of moco-v3 with vit-mini and adamw. Its schedule starts anew, though it was saved at epoch 2. Continue with: dawngrad pretrain --resume run-v3\n']);
    expect(JSON.parse(readFileSync(join(folder, 'run-v3/config.json'), 'utf8')).config).toMatchObject({ method: 'moco-v3', model: 'vit-mini', size: 16, dim: 64, hidden: 128, optimizer: 'adamw', lr: 1.5e-4 });
    const resumed = await dawngrad('pretrain', '--resume', 'run-v3', '--quiet');
    expect([resumed.code, resumed.err]).toEqual([0, '']);
  });

  it('--encoder leaves torchvision’s names and no head', async () => {
    expect((await dawngrad('convert', 'run/checkpoint.safetensors', 'encoder.safetensors', '--encoder')).code).toBe(0);
    const tensors = read('encoder.safetensors');
    expect(tensors.get('layer2.0.conv2.weight')).toEqual(run.get('encoder_q.layer2.0.conv2.weight'));
    expect([...tensors.keys()].filter((name) => /^(fc|encoder|queue|optimizer)/.test(name))).toEqual([]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['hostile.pth', saveZip(new Map([['x', { storage: { type: 'system', key: '0', length: 1, bytes: new Uint8Array(4) }, offset: 0, size: [1], strides: [1] }]])), /got "torch\.system", which would run code/],
    ['cut.pth', saveZip(new Map([['x', 1]])).subarray(0, 100), /zip archive ends in a directory/],
    ['empty.pth', saveZip(new Map([['x', 1]])), /a dictionary of tensors.*got none/],
    ['text.pth', new TextEncoder().encode('a checkpoint, they said'), /safetensors header/],
  ])('%s ends in one sentence and code 4', async (name, bytes, says) => {
    writeFileSync(join(folder, name), bytes);
    const { code, err } = await dawngrad('convert', name, 'out.safetensors');
    expect([code, err]).toEqual([4, expect.stringMatching(says)]);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe('dawngrad embed and export', () => {
  it('gives the same features by a run and by its encoder alone, in every format, streamed or not', async () => {
    expect((await dawngrad('convert', 'run/checkpoint.safetensors', 'small.safetensors')).code).toBe(0);
    const stated = await dawngrad('embed', 'photos', '--checkpoint', 'run', '--out', 'a.safetensors');
    expect([stated.code, stated.out]).toEqual([0, expect.stringContaining('6 pictures, 64 features each')]);
    expect((await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--out', 'a.csv')).code).toBe(0);
    expect((await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--ahead', '0', '--out', 'a.npy')).code).toBe(0);
    expect((await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--out', 'map.html')).code).toBe(0);
    expect(readFileSync(join(folder, 'map.html'), 'utf8').match(/<circle cx/g)).toHaveLength(6);
    const values = [...read('a.safetensors').get('embeddings')!.data] as number[];
    const lines = readFileSync(join(folder, 'a.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
    expect(lines.map((line) => [line[0], line.at(-1)])).toEqual([0, 2, 4, 1, 3, 5].map((i) => [`${'ab'[i % 2]}/${i}.png`, 'ab'[i % 2]]));
    expect(lines.flatMap((line) => line.slice(1, -1).map((v) => Math.fround(Number(v))))).toEqual(values);
    const npy = readFileSync(join(folder, 'a.npy'));
    expect([...new Float32Array(Uint8Array.from(npy.subarray(-4 * values.length)).buffer)]).toEqual(values);
  });

  it('writes a folder for the embedding projector, with a sprite that opens', async () => {
    const { code, out } = await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--out', 'projector', '--json');
    const files = ['tensors.tsv', 'metadata.tsv', 'projector_config.pbtxt', 'sprite.png'].map((name) => join('projector', name));
    expect([code, JSON.parse(out)]).toEqual([0, { out: 'projector', pictures: 6, features: 64, files }]);
    const [tensors, metadata] = files.map((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n').map((line) => line.split('\t')));
    expect(metadata).toEqual([['name', 'label'], ...[0, 2, 4, 1, 3, 5].map((i) => [`${'ab'[i % 2]}/${i}.png`, 'ab'[i % 2]])]);
    expect(tensors.map((row) => [row.length, row.every((v) => Number.isFinite(Number(v)))])).toEqual(Array(6).fill([64, true]));
    const sprite = await sharp(join(folder, files[3])).raw().toBuffer({ resolveWithObject: true });
    expect(sprite.info).toMatchObject({ width: 48, height: 48, channels: 3 }); // 3 × 3 places of 16 × 16
    const [fourth, picture] = await Promise.all([sharp(join(folder, files[3])).extract({ left: 0, top: 16, width: 16, height: 16 }).raw().toBuffer(), sharp(join(folder, 'photos/b/1.png')).raw().toBuffer()]);
    expect(fourth.equals(picture)).toBe(true);
  });

  it('search finds the picture itself first, and shows what it found', async () => {
    const { code, out, err } = await dawngrad('search', 'photos/b/3.png', 'photos', '--checkpoint', 'run', '--nearest', '3');
    expect([code, err]).toEqual([0, '']);
    expect(await dawngrad('search', 'photos/b/3.png', 'photos', '--checkpoint', 'run', '--nearest', '3', '--stream', '--quiet', '--out', 'streamed.html')).toEqual({ code, err, out: out.replace('search.html', 'streamed.html') });
    expect(readFileSync(join(folder, 'streamed.html')).equals(readFileSync(join(folder, 'search.html')))).toBe(true);
    const lines = out.trim().split('\n');
    expect(lines[0]).toMatch(/^1\.0000  b\/3\.png$/);
    expect(lines).toHaveLength(4);
    const html = readFileSync(join(folder, 'search.html'), 'utf8');
    expect(html.match(/<img src="data:image\/png/g)).toHaveLength(4);
    expect(await dawngrad('search', 'nothing.png', 'photos', '--checkpoint', 'run')).toMatchObject({ code: 4, err: expect.stringMatching(/^Error: nothing\.png: it must be a picture/) });
  });

  it('compare sets runs side by side', async () => {
    expect((await dawngrad('compare', 'run')).code).toBe(2);
    const { code, out } = await dawngrad('compare', 'run', './run');
    expect([code, out]).toEqual([0, expect.stringMatching(/^ +run +\.\/run\n[^]*pictures\/s +\d+ +\d+\nCurves: compare\.html\n$/)]);
    expect(readFileSync(join(folder, 'compare.html'), 'utf8')).toContain('<svg');
  });

  it('writes the folder for transformers.js', async () => {
    expect((await dawngrad('export', 'run', 'model')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'model/preprocessor_config.json'), 'utf8'))).toMatchObject({ crop_size: { height: 16, width: 16 }, do_normalize: true });
    expect(JSON.parse(readFileSync(join(folder, 'model/config.json'), 'utf8'))).toMatchObject({ model_type: 'resnet' });
    expect(readFileSync(join(folder, 'model/onnx/model.onnx')).length).toBeGreaterThan(4 * 1000);
  });

  it('takes a vision transformer without a run, as MoCo v3 releases them, and its heads', async () => {
    const features = async (...from: string[]) => {
      const { code, err } = await dawngrad('embed', 'photos', '--checkpoint', ...from, '--out', 'v3.npy');
      expect([code, err]).toEqual([0, '']);
      return readFileSync(join(folder, 'v3.npy'));
    };
    const [run, bare, other] = [await features('v3'), await features('v3.pth.tar'), await features('v3.pth.tar', '--heads', '8')];
    expect([bare.equals(run), other.equals(run), other.length]).toEqual([true, false, run.length]);
    expect(await dawngrad('embed', 'photos', '--checkpoint', 'v3.pth.tar', '--heads', '7')).toMatchObject({ code: 2, err: expect.stringContaining('heads divide the width, 64; got 7') });
    expect((await dawngrad('linear', 'v3.pth.tar', 'photos', '--held-out', '0.5', '--epochs', '2', '--out', 'v3-probe')).out).toContain('by recipe v3-vit');
    expect((await dawngrad('export', 'v3.pth.tar', 'v3-model', '--heads', '8')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'v3-model/config.json'), 'utf8'))).toMatchObject({ model_type: 'vit', num_attention_heads: 8 });
    expect((await dawngrad('finetune', 'v3.pth.tar', 'photos', '--epochs', '1', '--batch', '3', '--heads', '8', '--out', 'v3-tuned')).out).toContain('Classifier: v3-tuned/classifier.safetensors');
    expect(decodeSafetensors(readFileSync(join(folder, 'v3-tuned/classifier.safetensors')), 'v3-tuned').metadata).toMatchObject({ model: 'vit-mini', heads: '8', size: '16' });
    expect((await features('v3-tuned/classifier.safetensors')).equals(run)).toBe(false);
  });

  it('without a checkpoint, says so', async () => {
    expect(await dawngrad('embed', 'photos')).toMatchObject({ code: 2, err: expect.stringMatching(/got no --checkpoint/) });
  });
});

describe('dawngrad knn and linear', () => {
  it('knn sweeps k and T over the run’s own held-out pictures', async () => {
    const { code, out } = await dawngrad('knn', 'run');
    expect([code, out]).toEqual([0, expect.stringContaining('Weighted k-NN of 12 held-out pictures among 48, by 64 features of run')]);
    expect(out.match(/^ +(\d+)( +\d+\.\d %\*?){4}$/gm)?.map((line) => Number.parseInt(line, 10))).toEqual([1, 5, 10, 20]); // no more than the bank
    expect(out.match(/%\*/g)).toHaveLength(1);
  });

  it('warns of pictures that look wrong, and tells the same of a stream, without a word if --quiet', async () => {
    cpSync(join(folder, 'photos'), join(folder, 'high/photos'), { recursive: true });
    const command = ['knn', 'run/checkpoint.safetensors', 'high', '--size', '16', '--held-out', '0.5'];
    const [told, streamed, quiet] = [await dawngrad(...command), await dawngrad(...command, '--stream'), await dawngrad(...command, '--stream', '--quiet')];
    expect([told.code, told.err]).toEqual([0, expect.stringMatching(/^Warning: high: all its pictures lie in photos/)]);
    expect(streamed).toEqual({ ...told, err: `${told.err}They are decoded as steps need them, 2 ahead: 576 KiB at most.\n` });
    expect(quiet).toEqual({ ...told, err: '' });
  });

  it.each([['the run', ['run'], 'run'], ['a checkpoint on other pictures', ['run/checkpoint.safetensors', 'photos', '--size', '16', '--held-out', '0.5', '--augment', '--out', 'probe'], 'probe']] as const)(
    'linear writes accuracies and the classifier of %s', async (_, args, out) => {
      const before = readFileSync(join(folder, 'run/checkpoint.safetensors'));
      const ended = await dawngrad('linear', ...args, '--epochs', '3', '--quiet');
      expect([ended.code, ended.err, ended.out]).toEqual([0, '', expect.stringContaining('Nothing but the classifier changed')]);
      const about = JSON.parse(readFileSync(join(folder, out, 'linear.json'), 'utf8'));
      expect([about.recipe, about.epochs.length, about.config.milestones, about.config.views]).toEqual(['v1', 3, [2, 2], out === 'run' ? 'cached' : 'augment']);
      expect(about.best.heldOutTop1).toBe(Math.max(...about.epochs.map((e: { heldOutTop1: number }) => e.heldOutTop1)));
      expect(read(`${out}/linear.safetensors`).get('fc.weight')!.shape).toEqual([out === 'run' ? 4 : 2, 64]);
      expect(readFileSync(join(folder, 'run/checkpoint.safetensors')).equals(before)).toBe(true);
    });

  it('linear learns the same from a stream', async () => {
    const { code, err } = await dawngrad('linear', 'run/checkpoint.safetensors', 'photos', '--size', '16', '--held-out', '0.5', '--augment', '--epochs', '3', '--stream', '--out', 'streamed');
    expect([code, err]).toEqual([0, expect.stringMatching(/^They are decoded as steps need them, 2 ahead: 576 KiB at most\.\nepoch 1\/3/)]);
    for (const name of ['linear.json', 'linear.safetensors']) expect(readFileSync(join(folder, 'streamed', name)).equals(readFileSync(join(folder, 'probe', name)))).toBe(true);
  });

  it.each([
    [['knn', 'run/checkpoint.safetensors'], 2, /a checkpoint does not say what to measure it on; got no pictures/],
    [['linear', 'run', 'photos/a'], 2, /pictures need classes to be measured by/],
    [['linear', 'run', '--recipe', 'v9'], 2, /--recipe: it is one of v1, v3, v3-vit; got v9/],
    [['knn', 'nowhere', 'photos'], 4, /nowhere/],
    [['knn', 'run', '--stream'], 2, /--stream: what is streamed must be a folder of pictures; got drawn pictures/],
    [['embed', 'packed.bin', '--checkpoint', 'run', '--stream'], 2, /packed\.bin: what is streamed must be a folder of pictures; got a file of many, which is read whole\. Leave streaming out/],
  ] as const)('%s ends in one sentence', async (args, code, says) => expect(await dawngrad(...args)).toMatchObject({ code, err: expect.stringMatching(says) }));
});
