import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src/io/png.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/io/safetensors.js';
import { Call, saveStream, saveZip } from '../io/torch-save.js';
import { builtCommand } from '../support/cli.js';
import { released } from '../support/released.js';

const built = builtCommand('weights');
const { folder } = built;
const dawngrad = (...args: string[]) => built.run(args);

const read = (name: string) => decodeSafetensors(readFileSync(join(folder, name)), name).tensors;
let run: Map<string, StoredTensor>;

beforeAll(async () => {
  const ended = await dawngrad(
    'pretrain',
    '--count',
    '60',
    '--size',
    '16',
    '--epochs',
    '1',
    '--batch',
    '16',
    '--K',
    '32',
    '--knn',
    '5',
    '--optimizer',
    'sgd',
    '--out',
    'run',
  );
  expect([ended.code, ended.err]).toEqual([0, expect.any(String)]);
  run = read('run/checkpoint.safetensors');
  writeFileSync(join(folder, 'packed.bin.gz'), gzipSync(new Uint8Array(3073)));
  mkdirSync(join(folder, 'photos/a'), { recursive: true });
  mkdirSync(join(folder, 'photos/b'));
  for (let i = 0; i < 6; i++)
    writeFileSync(
      join(folder, `photos/${'ab'[i % 2]}/${i}.png`),
      await encodePng(
        Uint8Array.from({ length: 16 * 16 * 3 }, (_, j) => (i * 37 + j * (i + 1)) % 256),
        16,
        16,
      ),
    );
});

describe('dawngrad convert', () => {
  it.each([
    ['zip', saveZip],
    ['stream', saveStream],
  ] as const)('a released checkpoint as %s becomes a run that trains on', async (name, save) => {
    writeFileSync(join(folder, `${name}.pth.tar`), save(released(run)));
    expect(await dawngrad('convert', `${name}.pth.tar`, `${name}.safetensors`)).toMatchObject({ code: 0, err: '' });
    expect(Object.fromEntries(read(`${name}.safetensors`))).toEqual(Object.fromEntries(run));
    const flags = [
      '--data',
      'photos',
      '--epochs',
      '1',
      '--batch',
      '4',
      '--size',
      '16',
      '--held-out',
      '0',
      '--splits',
      '2',
    ];
    const converted = await dawngrad('convert', `${name}.pth.tar`, `run-${name}`, ...flags);
    expect([converted.code, converted.err]).toEqual([0, '']);
    expect(Object.fromEntries(read(`run-${name}/checkpoint.safetensors`))).toEqual(Object.fromEntries(run));
    const resumed = await dawngrad('pretrain', '--resume', `run-${name}`, '--quiet');
    expect([resumed.code, resumed.err]).toEqual([0, '']);
    expect(read(`run-${name}/checkpoint.safetensors`).get('encoder_q.conv1.weight')).not.toEqual(
      run.get('encoder_q.conv1.weight'),
    );
  });

  it('a checkpoint of MoCo v3 becomes a run of its model that trains on', async () => {
    expect(
      (
        await dawngrad(
          'pretrain',
          '--preset',
          'v3-vit-demo',
          '--count',
          '40',
          '--size',
          '16',
          '--epochs',
          '1',
          '--warmup',
          '0',
          '--batch',
          '16',
          '--held-out',
          '0',
          '--out',
          'v3',
        )
      ).code,
    ).toBe(0);
    writeFileSync(join(folder, 'v3.pth.tar'), saveZip(released(read('v3/checkpoint.safetensors'), { steps: 2 })));
    const { code, out } = await dawngrad(
      'convert',
      'v3.pth.tar',
      'run-v3',
      '--data',
      'photos',
      '--epochs',
      '2',
      '--batch',
      '6',
      '--held-out',
      '0',
      '--seed',
      '3',
    );
    expect([code, out]).toEqual([
      0,
      'run-v3: a run of moco-v3 with vit-mini and adamw. Its schedule starts anew, ' +
        'though it was saved at epoch 2. Continue with: dawngrad pretrain --resume run-v3\n',
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'run-v3/config.json'), 'utf8')).config).toMatchObject({
      method: 'moco-v3',
      model: 'vit-mini',
      size: 16,
      dim: 64,
      hidden: 128,
      optimizer: 'adamw',
      lr: 1.5e-4,
    });
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
    [
      'hostile.pth',
      saveZip(new Map([['model', new Call('os', 'system', ['touch mark'])]])),
      /must not name what runs programs or reaches out; got os\.system\. Nothing was run/,
    ],
    [
      'cut.pth',
      saveZip(new Map([['x', 1]])).subarray(0, 100),
      /zip archive must hold its files .* and end in one directory/,
    ],
    ['empty.pth', saveZip(new Map([['x', 1]])), /a dictionary of tensors.*got one of x/],
    ['text.pth', new TextEncoder().encode('a checkpoint, they said'), /must be a checkpoint.*got text that begins/],
  ])('%s ends in one sentence and code 4', async (name, bytes, says) => {
    writeFileSync(join(folder, name), bytes);
    const { code, err } = await dawngrad('convert', name, 'out.safetensors');
    expect([code, err]).toEqual([4, expect.stringMatching(says)]);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe('flags that contradict a checkpoint', () => {
  it.each([
    [['convert', 'zip.pth.tar', 'other', '--K', '64'], 2, /--K: it must be what zip\.pth\.tar holds, 32; got 64/],
    [['convert', 'zip.pth.tar', 'other', '--dim', '65'], 2, /--dim: it must be what zip\.pth\.tar holds, \d+; got 65/],
    [
      ['convert', 'zip.pth.tar', 'other', '--model', 'resnet50'],
      2,
      /--model: it must be what zip\.pth\.tar holds, resnet-tiny; got resnet50/,
    ],
    [
      ['convert', 'zip.pth.tar', 'other', '--head', 'linear'],
      2,
      /--head: it must be what zip\.pth\.tar holds, mlp; got linear/,
    ],
    [
      ['convert', 'zip.pth.tar', 'other', '--stem', 'imagenet'],
      2,
      /one of 3×3, as conv1\.weight is: cifar or small; got imagenet/,
    ],
    [['convert', 'v3.pth.tar', 'other', '--size', '32'], 2, /--size: it must be what v3\.pth\.tar holds, 16; got 32/],
    [
      ['convert', 'v3.pth.tar', 'other', '--method', 'moco'],
      2,
      /--method: it must be what v3\.pth\.tar holds, moco-v3; got moco/,
    ],
    [['convert', 'v3.pth.tar', 'other', '--heads', '8'], 4, /a run of vit-mini must have 4 attention heads; got 8/],
    [
      ['embed', 'photos', '--checkpoint', 'v3.pth.tar', '--size', '32'],
      2,
      /--size: it must be that of the position embedding in v3\.pth\.tar, 16 \(4 patches of 8\); got 32/,
    ],
    [['embed', 'photos', '--checkpoint', 'v3', '--heads', '8'], 2, /--heads: it must be that of the run v3, 4; got 8/],
    [
      ['embed', 'photos', '--checkpoint', 'run', '--stem', 'cifar'],
      2,
      /--stem: it must be that of the run run, small; got cifar/,
    ],
    [['export', 'zip.pth.tar', 'x.onnx', '--stem', 'imagenet'], 2, /one of 3×3, as conv1\.weight is/],
    [
      ['export', 'zip.pth.tar', 'x.onnx', '--prefix', 'teacher'],
      2,
      /got teacher, and encoders in encoder_q\., encoder_k\./,
    ],
  ] as const)('%j', async (args, code, says) => {
    const ended = await dawngrad(...args);
    expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(says)]);
    expect([existsSync(join(folder, 'other')), existsSync(join(folder, 'x.onnx'))]).toEqual([false, false]);
  });
});

describe('dawngrad embed and export', () => {
  it('values that are not finite are told by every command, and stop those that compute', async () => {
    cpSync(join(folder, 'run'), join(folder, 'broken'), { recursive: true });
    const weights = new Map(read('run/checkpoint.safetensors'));
    (weights.get('encoder_q.bn1.weight')!.data as Float32Array)[1] = NaN;
    const { metadata } = decodeSafetensors(readFileSync(join(folder, 'run/checkpoint.safetensors')), 'run');
    writeFileSync(join(folder, 'broken/checkpoint.safetensors'), encodeSafetensors(weights, metadata));
    const says =
      /Warning: .*checkpoint\.safetensors: values must be finite; got 1 that is not, in encoder_q\.bn1\.weight\./;
    for (const args of [
      ['export', 'broken', 'broken.onnx'],
      ['compare', 'broken', 'run'],
      ['convert', 'broken/checkpoint.safetensors', 'broken.safetensors'],
    ])
      expect(await dawngrad(...args)).toMatchObject({ code: 0, err: expect.stringMatching(says) });
    for (const args of [
      ['embed', 'photos', '--checkpoint', 'broken'],
      ['knn', 'broken'],
      ['linear', 'broken'],
      ['finetune', 'broken', 'photos', '--out', 'no'],
      ['pretrain', '--resume', 'broken'],
    ]) {
      const { code, err } = await dawngrad(...args);
      expect([args[0], code, err]).toEqual([
        args[0],
        4,
        expect.stringMatching(/values must be finite; got 1 that is not, in .*bn1\.weight\. Nothing can be computed/),
      ]);
    }
  });

  it('gives the same features by a run and by its encoder alone, in every format, streamed or not', async () => {
    expect((await dawngrad('convert', 'run/checkpoint.safetensors', 'small.safetensors')).code).toBe(0);
    const stated = await dawngrad('embed', 'photos', '--checkpoint', 'run', '--out', 'a.safetensors');
    expect([stated.code, stated.out]).toEqual([0, expect.stringContaining('6 pictures, 64 features each')]);
    expect((await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--out', 'a.csv')).code).toBe(0);
    expect(
      (await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--ahead', '0', '--out', 'a.npy')).code,
    ).toBe(0);
    expect((await dawngrad('embed', 'photos', '--checkpoint', 'run', '--stream', '--out', 'map.html')).code).toBe(0);
    expect(readFileSync(join(folder, 'map.html'), 'utf8').match(/<circle cx/g)).toHaveLength(6);
    const values = [...read('a.safetensors').get('embeddings')!.data] as number[];
    const lines = readFileSync(join(folder, 'a.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    expect(lines.map((line) => [line[0], line.at(-1)])).toEqual(
      [0, 2, 4, 1, 3, 5].map((i) => [`${'ab'[i % 2]}/${i}.png`, 'ab'[i % 2]]),
    );
    expect(lines.flatMap((line) => line.slice(1, -1).map((v) => Math.fround(Number(v))))).toEqual(values);
    const npy = readFileSync(join(folder, 'a.npy'));
    expect(readFileSync(join(folder, 'a.names.txt'), 'utf8')).toBe(
      'a/0.png\na/2.png\na/4.png\nb/1.png\nb/3.png\nb/5.png\n',
    );
    expect([...new Float32Array(Uint8Array.from(npy.subarray(-4 * values.length)).buffer)]).toEqual(values);
  });

  it('writes a folder for the embedding projector, with a sprite that opens', async () => {
    const { code, out } = await dawngrad(
      'embed',
      'photos',
      '--checkpoint',
      'run',
      '--stream',
      '--out',
      'projector',
      '--json',
    );
    const files = ['tensors.tsv', 'metadata.tsv', 'projector_config.pbtxt', 'sprite.png'].map((name) =>
      join('projector', name),
    );
    expect([code, JSON.parse(out)]).toEqual([0, { out: 'projector', pictures: 6, features: 64, files }]);
    const [tensors, metadata] = files.map((name) =>
      readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('\t')),
    );
    expect(metadata).toEqual([
      ['name', 'label'],
      ...[0, 2, 4, 1, 3, 5].map((i) => [`${'ab'[i % 2]}/${i}.png`, 'ab'[i % 2]]),
    ]);
    expect(tensors.map((row) => [row.length, row.every((v) => Number.isFinite(Number(v)))])).toEqual(
      Array(6).fill([64, true]),
    );
    const sprite = await sharp(join(folder, files[3])).raw().toBuffer({ resolveWithObject: true });
    expect(sprite.info).toMatchObject({ width: 192, height: 192, channels: 3 }); // 3 × 3 places of 64 × 64
    const colour = async (image: ReturnType<typeof sharp>) =>
      (await image.stats()).channels.slice(0, 3).map((c) => c.mean);
    const fourth = await sharp(join(folder, files[3])).extract({ left: 0, top: 64, width: 64, height: 64 }).toBuffer();
    const want = await colour(sharp(join(folder, 'photos/b/1.png')));
    expect(await colour(sharp(fourth))).toEqual(want.map((v) => expect.closeTo(v, 0)));
  });

  it('features of a picture do not depend on those beside it, and what cannot be read is named', async () => {
    for (const folder_ of ['alone', 'beside']) mkdirSync(join(folder, folder_));
    for (let i = 0; i < 2; i++) {
      const png = await encodePng(
        Uint8Array.from({ length: 90 * 70 * 3 }, (_, j) => (j * (i + 3)) % 241),
        90,
        70,
      );
      for (const folder_ of ['alone', 'beside']) writeFileSync(join(folder, folder_, `p${i}.png`), png);
    }
    for (let i = 0; i < 9; i++)
      writeFileSync(join(folder, `beside/icon${i}.png`), await encodePng(new Uint8Array(8 * 8 * 3).fill(9 * i), 8, 8));
    writeFileSync(join(folder, 'beside/empty.png'), '');
    writeFileSync(join(folder, 'beside/other.heic'), '');
    expect((await dawngrad('embed', 'alone', '--checkpoint', 'run', '--out', 'alone.npy')).err).toBe('');
    const { err } = await dawngrad('embed', 'beside', '--checkpoint', 'run', '--out', 'beside.npy');
    expect(err).toMatch(
      new RegExp(
        /left out 1 \.heic \(other\.heic\)/.source +
          /[^]*1 of 12 pictures cannot be read and are left out:\n {2}empty\.png: the file is empty/.source,
      ),
    );
    expect(readFileSync(join(folder, 'beside.names.txt'), 'utf8').split('\n').slice(-3)).toEqual([
      'p0.png',
      'p1.png',
      '',
    ]);
    const rows = (name: string) => readFileSync(join(folder, name)).subarray(-2 * 64 * 4);
    expect(rows('beside.npy').equals(rows('alone.npy'))).toBe(true);
  });

  it('search finds the picture itself first, and shows what it found', async () => {
    const { code, out, err } = await dawngrad(
      'search',
      'photos/b/3.png',
      'photos',
      '--checkpoint',
      'run',
      '--nearest',
      '3',
    );
    expect([code, err]).toEqual([0, '']);
    expect(
      await dawngrad(
        'search',
        'photos/b/3.png',
        'photos',
        '--checkpoint',
        'run',
        '--nearest',
        '3',
        '--stream',
        '--quiet',
        '--out',
        'streamed.html',
      ),
    ).toEqual({ code, err, out: out.replace('search.html', 'streamed.html') });
    expect(readFileSync(join(folder, 'streamed.html')).equals(readFileSync(join(folder, 'search.html')))).toBe(true);
    const lines = out.trim().split('\n');
    expect(lines[0]).toMatch(/^1\.0000  b\/3\.png$/);
    expect(lines).toHaveLength(4);
    const html = readFileSync(join(folder, 'search.html'), 'utf8');
    expect(html.match(/<img src="data:image\/png/g)).toHaveLength(4);
    expect(await dawngrad('search', 'nothing.png', 'photos', '--checkpoint', 'run')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/^Error: nothing\.png: it must be a picture/),
    });
  });

  it('compare sets runs side by side', async () => {
    expect((await dawngrad('compare', 'run')).code).toBe(2);
    const { code, out } = await dawngrad('compare', 'run', './run');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^ +run +\.\/run\n[^]*pictures\/s +\d+ +\d+\nCurves: compare\.html\n$/),
    ]);
    expect(readFileSync(join(folder, 'compare.html'), 'utf8')).toContain('<svg');
  });

  it('writes the folder for transformers.js', async () => {
    expect((await dawngrad('export', 'run', 'model')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'model/preprocessor_config.json'), 'utf8'))).toMatchObject({
      crop_size: { height: 16, width: 16 },
      do_normalize: true,
    });
    expect(JSON.parse(readFileSync(join(folder, 'model/config.json'), 'utf8'))).toMatchObject({ model_type: 'resnet' });
    expect(readFileSync(join(folder, 'model/onnx/model.onnx')).length).toBeGreaterThan(4 * 1000);
  });

  it('takes a vision transformer without a run, as MoCo v3 releases them, and its heads', async () => {
    const features = async (...from: string[]) => {
      const { code, err } = await dawngrad('embed', 'photos', '--checkpoint', ...from, '--out', 'v3.npy');
      expect([code, err.match(/^.*attention heads.*$/gm)]).toEqual([
        0,
        from.join() === 'v3.pth.tar'
          ? [
              'v3.pth.tar: assumed: 4 attention heads, which no file tells: ' +
                "its positions are MoCo v3's (--heads N: other).",
            ]
          : null,
      ]);
      return readFileSync(join(folder, 'v3.npy'));
    };
    const [run, bare, other] = [
      await features('v3'),
      await features('v3.pth.tar'),
      await features('v3.pth.tar', '--heads', '8'),
    ];
    expect([bare.equals(run), other.equals(run), other.length]).toEqual([true, false, run.length]);
    expect(await dawngrad('embed', 'photos', '--checkpoint', 'v3.pth.tar', '--heads', '7')).toMatchObject({
      code: 2,
      err: expect.stringContaining('heads must divide the width, 64; got 7'),
    });
    expect(
      (await dawngrad('linear', 'v3.pth.tar', 'photos', '--held-out', '0.5', '--epochs', '2', '--out', 'v3-probe')).out,
    ).toContain('by recipe v3-vit');
    expect((await dawngrad('export', 'v3.pth.tar', 'v3-model', '--heads', '8')).code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'v3-model/config.json'), 'utf8'))).toMatchObject({
      model_type: 'vit',
      num_attention_heads: 8,
    });
    expect(
      (
        await dawngrad(
          'finetune',
          'v3.pth.tar',
          'photos',
          '--epochs',
          '1',
          '--batch',
          '3',
          '--heads',
          '8',
          '--out',
          'v3-tuned',
        )
      ).out,
    ).toContain('Classifier: v3-tuned/classifier.safetensors');
    expect(
      decodeSafetensors(readFileSync(join(folder, 'v3-tuned/classifier.safetensors')), 'v3-tuned').metadata,
    ).toMatchObject({ model: 'vit-mini', heads: '8', size: '16' });
    expect((await features('v3-tuned/classifier.safetensors')).equals(run)).toBe(false);
  });

  it('without a checkpoint, says so', async () => {
    expect(await dawngrad('embed', 'photos')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/got no --checkpoint/),
    });
  });
});

describe('dawngrad knn and linear', () => {
  it('knn sweeps k and T over the run’s own held-out pictures', async () => {
    const { code, out } = await dawngrad('knn', 'run');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('Weighted k-NN of 12 held-out pictures among 48, by 64 features of run'),
    ]);
    expect(out.match(/^ +(\d+)( +\d+\.\d %\*?){4}$/gm)?.map((line) => Number.parseInt(line, 10))).toEqual([
      1, 5, 10, 20,
    ]); // no more than the bank
    expect(out.match(/%\*/g)).toHaveLength(1);
  });

  it('warns of pictures that look wrong, and tells the same of a stream, without a word if --quiet', async () => {
    cpSync(join(folder, 'photos'), join(folder, 'high/photos'), { recursive: true });
    const command = ['knn', 'run/checkpoint.safetensors', 'high', '--size', '16', '--held-out', '0.5'];
    const [told, streamed, quiet] = [
      await dawngrad(...command),
      await dawngrad(...command, '--stream'),
      await dawngrad(...command, '--stream', '--quiet'),
    ];
    expect([told.code, told.err]).toEqual([0, expect.stringMatching(/^Warning: high: all its pictures lie in photos/)]);
    expect(streamed).toEqual({
      ...told,
      err: `${told.err}They are decoded as steps need them, 2 ahead: 576 KiB at most.\n`,
    });
    expect(quiet).toEqual({ ...told, err: '' });
  });

  it.each([
    ['the run', ['run'], 'run'],
    [
      'a checkpoint on other pictures',
      ['run/checkpoint.safetensors', 'photos', '--size', '16', '--held-out', '0.5', '--augment', '--out', 'probe'],
      'probe',
    ],
  ] as const)('linear writes accuracies and the classifier of %s', async (_, args, out) => {
    const before = readFileSync(join(folder, 'run/checkpoint.safetensors'));
    const ended = await dawngrad('linear', ...args, '--epochs', '3', '--quiet');
    expect([ended.code, ended.err, ended.out]).toEqual([
      0,
      '',
      expect.stringContaining('Nothing but the classifier changed'),
    ]);
    const about = JSON.parse(readFileSync(join(folder, out, 'linear.json'), 'utf8'));
    expect([about.recipe, about.epochs.length, about.config.milestones, about.config.views]).toEqual([
      'v1',
      3,
      [2, 2],
      out === 'run' ? 'cached' : 'augment',
    ]);
    expect([about.sweep.rates.map((r: { lr: number }) => r.lr), about.config.lr]).toEqual([
      [90, 30, 9, 3, 0.9, 0.3],
      about.lr,
    ]);
    expect(Object.keys(about.heldOut)).toEqual(['loss', 'top1', 'top5']);
    expect(read(`${out}/linear.safetensors`).get('fc.weight')!.shape).toEqual([out === 'run' ? 4 : 2, 64]);
    expect(readFileSync(join(folder, 'run/checkpoint.safetensors')).equals(before)).toBe(true);
  });

  it('linear learns the same from a stream', async () => {
    const { code, err } = await dawngrad(
      'linear',
      'run/checkpoint.safetensors',
      'photos',
      '--size',
      '16',
      '--held-out',
      '0.5',
      '--augment',
      '--epochs',
      '3',
      '--stream',
      '--out',
      'streamed',
    );
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          /^They are decoded as steps need them, 2 ahead: [\d.]+ [KM]iB at most\./.source +
            /\nLearning rates, by 1 of the training pictures after training on 2: 90: .* is taken\.\nepoch 1\/3/.source,
        ),
      ),
    ]);
    for (const name of ['linear.json', 'linear.safetensors'])
      expect(readFileSync(join(folder, 'streamed', name)).equals(readFileSync(join(folder, 'probe', name)))).toBe(true);
  });

  it.each([
    [['knn', 'small.safetensors'], 2, /a checkpoint does not say what to measure it on; got no pictures/],
    [['linear', 'run', 'photos/a'], 2, /pictures need classes to be measured by/],
    [['linear', 'run', '--recipe', 'v9'], 2, /--recipe: it must be v1, v3 or v3-vit; got 'v9'/],
    [['knn', 'nowhere', 'photos'], 4, /nowhere/],
    [
      ['embed', 'packed.bin.gz', '--checkpoint', 'run', '--stream'],
      4,
      /packed\.bin\.gz: what is streamed must not be compressed; got gzip data\. Unpack it/,
    ],
  ] as const)('%s ends in one sentence', async (args, code, says) =>
    expect(await dawngrad(...args)).toMatchObject({ code, err: expect.stringMatching(says) }),
  );
});
