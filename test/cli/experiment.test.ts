import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { patience } from '../../scripts/speed.mjs';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { encodePng } from '../../src/io/png.js';
import { decodeSafetensors } from '../../src/io/safetensors.js';
import { builtCommand } from '../support/cli.js';

const built = builtCommand('experiment');
const { folder } = built;
const dawngrad = (...args: string[]) => built.run(args);

const text = (name: string) => readFileSync(join(folder, name), 'utf8');
const lines = (name: string) => text(name).trim().split('\n');
const shared = ['--count', '32', '--size', '16', '--batch', '8', '--out'];

describe('dawngrad experiment', () => {
  it(
    'four-way trains four classifiers; what was cut off is done again with the same numbers',
    async () => {
      const command = [
        'experiment',
        'four-way',
        '--epochs',
        '3',
        '--pretrain-epochs',
        '1',
        '--seeds',
        '1',
        ...shared,
        'four',
      ];
      const first = await dawngrad(...command);
      expect([first.code, first.err]).toEqual([
        0,
        expect.stringContaining(
          '24 pictures to train on and 8 held out, 16×16, of stripes, checks, dots, rings; synthetic.',
        ),
      ]);
      for (const row of [
        'resnet-tiny from scratch',
        'resnet-tiny from MoCo v2',
        'vit-mini from scratch',
        'vit-mini from MoCo v3',
      ])
        expect(first.out).toMatch(new RegExp(`${row} +[\\d.]+ % +[\\d.]+ % +[\\d.]+\n`));
      expect(
        readdirSync(join(folder, 'four'))
          .map((name) => name.replace(/-\w{12}/, ''))
          .sort(),
      ).toEqual(['encoder.safetensors', 'encoder.safetensors', 'report.html', 'results.json', 'results.jsonl']);
      const { results } = JSON.parse(text('four/results.json'));
      expect(results.contenders.map((c: { curves: unknown[][] }) => c.curves.map((curve) => curve.length))).toEqual([
        [3],
        [3],
        [3],
        [3],
      ]);
      expect(text('four/report.html')).toMatch(/Held-out accuracy[^]*What was pretrained on what[^]*MoCo v3/);
      const kept = lines('four/results.jsonl');
      expect(kept.length).toBe(6); // two pretrainings, four classifiers
      writeFileSync(join(folder, 'four/results.jsonl'), `${kept.slice(0, 5).join('\n')}\n${kept[5].slice(0, 40)}`);
      expect(await dawngrad(...command)).toMatchObject({ code: 0, out: first.out });
      expect(lines('four/results.jsonl').at(-1)).toBe(kept[5]);
    },
    patience(240_000),
  );

  it('mechanisms compares three of them over K, and MoCo over m', async () => {
    const { code, out } = await dawngrad(
      'experiment',
      'mechanisms',
      '--epochs',
      '1',
      '--Ks',
      '8,16',
      '--momenta',
      '0,0.99',
      '--K',
      '8',
      '--end-to-end-limit',
      '8',
      ...shared,
      'mechanisms',
    );
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          /K +end-to-end +memory bank +MoCo\n +8( +[\d.]+ %){3}\n +16 +–( +[\d.]+ %){2}\n/.source +
            /[^]*m +k-NN +loss \(chance\)\n +0 /.source,
        ),
      ),
    ]);
    expect(lines('mechanisms/results.jsonl').length).toBe(7); // untrained, m = 0, and for each K what is missing
    expect(text('mechanisms/report.html')).toMatch(/k-NN accuracy over K[^]*k-NN accuracy of MoCo over m/);
  });

  it.each([
    ['an unknown name', ['experiment', 'fourway'], /got fourway\. Did you mean four-way\?/],
    [
      'momenta that are none',
      ['experiment', 'mechanisms', '--count', '32', '--momenta', '0,x'],
      /--momenta: it takes numbers; got 0,x/,
    ],
    [
      'a precision that is none',
      ['experiment', 'four-way', '--count', '32', '--size', '16', '--precision', 'half'],
      /--precision: it must be f32, f32-exact or f16; got 'half'/,
    ],
    ['a classifier of nothing', ['finetune', 'runs/a'], /finetune: it takes a run or checkpoint, and pictures/],
  ])('%s ends in one sentence', async (_, args, says) => {
    expect(await dawngrad(...args)).toMatchObject({ code: 2, err: expect.stringMatching(says) });
  });
});

describe('dawngrad finetune', () => {
  it('trains a classifier from a run', async () => {
    const { data, count, labels, classes } = syntheticPictures({ count: 24, size: 16, seed: 5 });
    for (const name of classes!) mkdirSync(join(folder, 'photos', name), { recursive: true });
    for (let i = 0; i < count; i++)
      writeFileSync(
        join(folder, 'photos', classes![labels![i]], `${i}.png`),
        await encodePng(data.subarray(i * 768, (i + 1) * 768), 16, 16),
      );
    expect(
      (
        await dawngrad(
          'pretrain',
          '--count',
          '40',
          '--size',
          '16',
          '--epochs',
          '1',
          '--batch',
          '8',
          '--K',
          '16',
          '--knn',
          '3',
          '--out',
          'run',
        )
      ).code,
    ).toBe(0);
    const command = [
      'finetune',
      'run',
      'photos',
      '--epochs',
      '2',
      '--batch',
      '8',
      '--held-out',
      '0.25',
      '--out',
      'tuned',
    ];
    const { code, out } = await dawngrad(...command);
    expect([code, out]).toEqual([0, expect.stringMatching(/% of 6 held-out pictures are classified right/)]);
    expect(lines('tuned/metrics.jsonl').map((line) => JSON.parse(line).epoch)).toEqual([1, 2]);
    const { tensors, metadata } = decodeSafetensors(
      readFileSync(join(folder, 'tuned/classifier.safetensors')),
      'tuned',
    );
    expect(tensors.get('fc.weight')!.shape).toEqual([4, 64]);
    expect(metadata).toMatchObject({ model: 'resnet-tiny', classes: JSON.stringify([...classes!].sort()) });
    expect((await dawngrad(...command)).code).toBe(2); // the folder is taken
    const halves = await dawngrad(...command.slice(0, -1), 'halves', '--precision', 'f16');
    expect([halves.code, halves.err]).toEqual([
      0,
      expect.stringMatching(/f16: \d of 4 steps skipped for gradients that were not finite; the loss scale is \d+\./),
    ]);
    expect(JSON.parse(lines('halves/metrics.jsonl')[1])).toMatchObject({
      epoch: 2,
      skipped: expect.any(Number),
      lossScale: expect.any(Number),
    });
  });
});
