import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../src/io/png.js';
import { decodeSafetensors } from '../../src/io/safetensors.js';
import { type Event, readEvents } from '../io/tfevents.js';
import { builtCommand } from '../support/cli.js';

const { folder, run } = builtCommand('cli');
const dawngrad = (args: string[], onErr?: (text: string, kill: () => void) => void) => run(args, { onErr });

const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
};

describe('bad input ends in one sentence and the documented exit code', () => {
  const cases: [name: string, args: () => string[], code: number, says: RegExp][] = [
    ['an unknown command', () => ['pretrian'], 2, /got pretrian\. Did you mean pretrain\?/],
    ['an unknown flag', () => ['pretrain', '--epoch', '3'], 2, /got --epoch\. Did you mean --epochs\?/],
    ['a flag without its value', () => ['pretrain', '--epochs'], 2, /--epochs: a value must follow; got none/],
    ['a flag that is no number', () => ['pretrain', '--lr', 'fast'], 2, /--lr: it takes a number; got fast/],
    ['an unknown preset', () => ['pretrain', '--preset', 'v2-r5'], 2, /got v2-r5\. Did you mean v2-r50\?/],
    [
      'an unknown field in a file',
      () => ['pretrain', '--config', file('c.json', '{"epocs": 3}')],
      2,
      /got epocs\. Did you mean epochs\?/,
    ],
    [
      'an unknown adapter',
      () => ['pretrain', '--adapter', 'abacus'],
      2,
      /adapter: it must be any, hardware or software; got 'abacus'/,
    ],
    ['an unknown model', () => ['pretrain', '--count', '64', '--model', 'resnet19'], 2, /got resnet19/],
    [
      'an unknown head',
      () => ['pretrain', '--count', '64', '--head', 'mpl'],
      2,
      /head: it must be mlp or linear; got 'mpl'/,
    ],
    [
      'a batch that the splits do not divide',
      () => ['pretrain', '--count', '100', '--batch', '30', '--splits', '4'],
      2,
      /got batch 30 and splits 4\. Use a batch of 32/,
    ],
    [
      'a stream and none',
      () => ['pretrain', '--stream', '--no-stream'],
      2,
      /--stream: it and --no-stream exclude each other/,
    ],
    ['a missing folder', () => ['pretrain', join(folder, 'nowhere')], 4, /nowhere/],
    [
      'an empty folder',
      () => [`pretrain`, (mkdirSync(join(folder, 'empty'), { recursive: true }), join(folder, 'empty'))],
      4,
      /empty/,
    ],
    ['pictures that are none', () => ['pretrain', join(file('broken/a.jpg', 'no picture'), '..')], 4, /broken/],
    [
      'a truncated CIFAR batch',
      () => ['pretrain', file('data_batch_1.bin', new Uint8Array(3073 + 100))],
      4,
      /data_batch_1\.bin.*3073/,
    ],
    [
      'a truncated IDX file',
      () => [
        'pretrain',
        file('train-images-idx3-ubyte', Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28, 1])),
      ],
      4,
      /train-images-idx3-ubyte/,
    ],
    [
      'a run that is none',
      () => ['pretrain', '--resume', join(folder, 'nowhere')],
      4,
      /a run's folder must hold config\.json; got none/,
    ],
    ['a flag beside --resume', () => ['pretrain', '--resume', folder, '--lr', '1'], 2, /got --lr too/],
  ];

  it.each(cases)('%s', async (_, args, code, says) => {
    const ended = await dawngrad(args());
    expect(ended.err).toMatch(says);
    expect(ended.err).not.toMatch(/\n\s+at /); // no stack
    expect(ended.code).toBe(code);
    expect(existsSync(join(folder, 'runs'))).toBe(false); // nothing half-written
  });

  it('no real GPU where one is demanded', async () => {
    const { code, err } = await dawngrad([
      'pretrain',
      '--adapter',
      'hardware',
      '--count',
      '40',
      '--epochs',
      '1',
      '--batch',
      '8',
      '--K',
      '16',
      '--out',
      'hardware',
    ]);
    if (code !== 0)
      expect([code, err]).toEqual([
        3,
        expect.stringMatching(/a WebGPU adapter must be there; got none for "hardware"/),
      ]);
  });
});

it('a pretraining that diverges ends with 5 and keeps the last good checkpoint', async () => {
  const { code, err } = await dawngrad([
    'pretrain',
    '--count',
    '80',
    '--K',
    '32',
    '--epochs',
    '3',
    '--knn-every',
    '1',
    '--lr',
    '1e6',
    '--out',
    'wild',
  ]);
  expect([code, err]).toEqual([
    5,
    expect.stringMatching(
      /got a loss of NaN in step \d+ [^]*The last good checkpoint is wild\/checkpoint\.safetensors, of step \d/,
    ),
  ]);
  for (const name of ['checkpoint', 'best']) {
    const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(join(folder, `wild/${name}.safetensors`))), name);
    for (const [tensor, { data }] of tensors)
      expect(Array.from(data as Float32Array, Number).every(Number.isFinite), tensor).toBe(true);
  }
  expect(existsSync(join(folder, 'wild/report.html'))).toBe(true);
});

const eventsOf = (run: string): Event[] =>
  readEvents(
    readFileSync(join(folder, run, readdirSync(join(folder, run)).find((name) => name.startsWith('events.'))!)),
  );

/** What TensorBoard shows: a start at a step voids what there was of it and of later ones. */
const shownAfterRestarts = (events: Event[]): Event[] =>
  events.reduce<Event[]>((kept, e) => [...(e.started ? kept.filter((k) => k.step < e.step) : kept), e], []);

describe('dawngrad pretrain', () => {
  const tiny = [
    '--count',
    '80',
    '--size',
    '16',
    '--epochs',
    '2',
    '--batch',
    '16',
    '--K',
    '100',
    '--knn',
    '5',
    '--knn-every',
    '1',
  ];

  it('writes a whole run, warns of too large a queue, and prints the table', async () => {
    const { code, out, err } = await dawngrad(['pretrain', ...tiny, '--out', 'run']);
    expect([code, err]).toEqual([
      0,
      expect.stringContaining('Warning: K: the queue (100 keys) is larger than the data set (64 pictures)'),
    ]);
    for (const row of ['chance', 'raw pixels', 'encoder, as initialised', 'encoder, trained'])
      expect(out).toContain(row);
    expect(readdirSync(join(folder, 'run')).sort()).toEqual([
      'best.safetensors',
      'checkpoint.safetensors',
      'config.json',
      expect.stringMatching(/^events\.out\.tfevents\.\d+\./),
      'metrics.jsonl',
      'previous.safetensors',
      'report.html',
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'run/config.json'), 'utf8'))).toMatchObject({ products: 'f32' });
    expect(readFileSync(join(folder, 'run/report.html'), 'utf8')).toContain('products of matrices');
    const metrics = readFileSync(join(folder, 'run/metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(metrics.filter((m) => 'loss' in m).map((m) => m.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const shown = eventsOf('run');
    expect(shown.flatMap((e) => ('train/loss' in e.values ? [e.values['train/loss'].scalar] : []))).toEqual(
      metrics.flatMap((m) => ('loss' in m ? [Math.fround(m.loss)] : [])),
    );
    expect(shown.flatMap((e) => ('eval/knn' in e.values ? [e.step] : []))).toEqual([4, 8]);
    for (const tag of ['views', 'gallery', 'similarity/positive', 'eval/rawPixels'])
      expect(shown.some((e) => tag in e.values)).toBe(true);
    expect((await dawngrad(['pretrain', ...tiny, '--out', 'run'])).code).toBe(4); // the folder is taken
  });

  it('--print-config prints what preset, file and flags give, in that order', async () => {
    const { code, out } = await dawngrad([
      'pretrain',
      '--config',
      file('f.json', '{"preset": "v3-r50-300", "epochs": 7, "batch": 64}'),
      '--batch',
      '32',
      '--no-blur',
      '--print-config',
    ]);
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { method: 'moco-v3', lr: 0.3, epochs: 7, batch: 32, blur: false },
    ]);
  });

  it('--dry-run trains two steps and leaves nothing', async () => {
    const { code, out, err } = await dawngrad(['pretrain', ...tiny, '--preset', 'bank-demo', '--dry-run']);
    expect([code, out, err]).toEqual([
      0,
      expect.stringMatching(/memory-bank with resnet-tiny[^]*whole run +8 steps/),
      expect.stringContaining('Chance level of the loss: 4.615'),
    ]);
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('decodes large pictures larger than the views cut out of them, and says what that takes', async () => {
    mkdirSync(join(folder, 'photos'));
    for (let i = 0; i < 8; i++)
      writeFileSync(
        join(folder, `photos/${i}.png`),
        await encodePng(
          Uint8Array.from({ length: 120 * 90 * 3 }, (_, j) => (j * (i + 1)) % 251),
          120,
          90,
        ),
      );
    const { code, out } = await dawngrad([
      'pretrain',
      'photos',
      '--size',
      '16',
      '--batch',
      '4',
      '--K',
      '8',
      '--held-out',
      '0',
      '--stream',
      '--dry-run',
    ]);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          /pictures +8 of different shapes, 32×32 pixels at most /.source +
            /for views of 16×16, 0\.0 MiB at most if all were decoded at once/.source,
        ),
      ),
    ]);
  });

  it('saves when interrupted, and resumes to the same bits, with pictures streamed or in memory', async () => {
    for (let i = 0; i < 80; i++)
      file(
        `classes/${i % 2}/${i}.png`,
        await encodePng(
          Uint8Array.from({ length: 16 * 16 * 3 }, (_, j) => (j * (i + 1)) % 251),
          16,
          16,
        ),
      );
    const long = ['classes', ...tiny.slice(2), '--epochs', '6', '--knn-every', '6'];
    const straight = await dawngrad(['pretrain', ...long, '--no-stream', '--out', 'straight']);
    expect([straight.code, straight.err]).toEqual([0, expect.not.stringContaining('as steps need them')]);
    const stopped = await dawngrad(
      ['pretrain', ...long, '--stream', '--ahead', '1', '--out', 'stopped'],
      (err, kill) => /epoch 1\/6/.test(err) && kill(),
    );
    expect([stopped.code, stopped.out]).toEqual([130, expect.stringContaining('dawngrad pretrain --resume stopped')]);
    expect(stopped.err).toContain(
      'They are decoded as steps need them, 1 ahead: 96 KiB at most, 1.5 MiB while features are measured.',
    );
    expect((await dawngrad(['pretrain', '--resume', 'stopped', '--no-stream'])).code).toBe(0);
    const losses = (run: string) =>
      shownAfterRestarts(eventsOf(run)).flatMap((e) =>
        'train/loss' in e.values ? [[e.step, e.values['train/loss'].scalar]] : [],
      );
    expect(losses('stopped')).toEqual(losses('straight'));
    const bytes = (run: string) => readFileSync(join(folder, run, 'checkpoint.safetensors'));
    expect(bytes('stopped').equals(bytes('straight'))).toBe(true);
  });
});
