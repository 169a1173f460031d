import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { encodePng } from '../../src/io/png.js';
import { builtCommand } from '../support/cli.js';

const { folder, run } = builtCommand('test-set');
const json = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const short = ['--epochs', '1', '--batch', '8', '--K', '16', '--knn', '5', '--knn-every', '1', '--no-tensorboard'];

/** Drawn pictures of 32² as a batch of CIFAR-10's binary version, each of another class. */
function writeBatch(name: string, count: number, seed: number): void {
  const { data } = syntheticPictures({ count, seed });
  const bytes = new Uint8Array(count * 3073);
  for (let n = 0; n < count; n++) {
    bytes[n * 3073] = n % 10;
    for (let i = 0; i < 1024; i++)
      for (let c = 0; c < 3; c++) bytes[n * 3073 + 1 + c * 1024 + i] = data[n * 3072 + 3 * i + c];
  }
  mkdirSync(join(folder, 'cifar'), { recursive: true });
  writeFileSync(join(folder, 'cifar', name), bytes);
}

async function writeFolder(name: string, count: number, seed: number): Promise<void> {
  const { data, classes, labels } = syntheticPictures({ count, seed });
  for (let i = 0; i < count; i++) {
    const of = join(folder, name, classes![labels![i]]);
    mkdirSync(of, { recursive: true });
    writeFileSync(join(of, `${i}.png`), await encodePng(data.subarray(i * 3072, (i + 1) * 3072), 32, 32));
  }
}

describe('a run is measured on a set of its own', () => {
  it("by CIFAR-10's test batch, which lies beside the others, as its evaluations are", async () => {
    writeBatch('data_batch_1.bin', 30, 1);
    writeBatch('test_batch.bin', 20, 2);
    const ended = await run(['pretrain', 'cifar', '--out', 'own', '--knn-outputs', ...short]);
    expect([ended.code, ended.err]).toEqual([
      0,
      expect.stringMatching(/30 pictures of 32×32 in 10 classes[^]*Measured on 20 pictures from .*test_batch\.bin\./),
    ]);
    expect(ended.err).toMatch(/epoch 1\/1: .*, k-NN [\d.]+ %, by the head's outputs [\d.]+ %/);
    expect(ended.out).toContain('of 20 held-out pictures among 30:');
    expect(json('own/config.json')).toMatchObject({
      test: join(folder, 'cifar/test_batch.bin'),
      config: { heldOut: 0, knnOutputs: true },
    });
    const metrics = readFileSync(join(folder, 'own/metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(metrics.find((m) => 'knn' in m)).toEqual({
      epoch: 1,
      knn: expect.any(Number),
      knnOutputs: expect.any(Number),
    });
    expect(readFileSync(join(folder, 'own/report.html'), 'utf8')).toContain('outputs of its head');
    expect((await run(['knn', 'own'])).out).toContain('of 20 held-out pictures among 30,');
    const part = await run(['pretrain', 'cifar', '--held-out', '0.2', '--dry-run', ...short]);
    expect([part.code, part.err]).toEqual([0, expect.not.stringContaining('Measured on')]);
  });

  it('by another folder, of the same classes', async () => {
    await writeFolder('train', 24, 3);
    await writeFolder('val', 12, 4);
    const ended = await run(['pretrain', 'train', '--test', 'val', '--out', 'named', ...short]);
    expect([ended.code, ended.out]).toEqual([0, expect.stringContaining('of 12 held-out pictures among 24:')]);
  });

  it.each([
    [
      ['pretrain', 'train', '--test', 'val', '--held-out', '0.1'],
      2,
      /--test: .* must be measured on those pictures or on a part .*; got --held-out too\. Leave one out\./,
    ],
    [['pretrain', '--test', 'val'], 2, /--test: it must go with pictures of your own to train on; got synthetic ones/],
    [['pretrain', 'train', '--test', 'nowhere'], 4, /nowhere: the pictures must exist/],
  ] as const)('%j is refused', async (args, code, sentence) => {
    const ended = await run([...args, '--out', 'refused', ...short]);
    expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(sentence)]);
  });
});
