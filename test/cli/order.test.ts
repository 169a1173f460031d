import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { version } from '../../src/core/version.js';
import { demoConfig } from '../../src/moco/config.js';
import { builtCommand } from '../support/cli.js';

const { folder, run } = builtCommand('order');
mkdirSync(join(folder, 'bad'));
// cut off: opening it ends with 4 and its name
writeFileSync(join(folder, 'bad/data_batch_1.bin'), new Uint8Array(100));
mkdirSync(join(folder, 'run'));
writeFileSync(
  join(folder, 'run/config.json'),
  JSON.stringify({ version, data: 'synthetic', choice: { count: 80 }, config: demoConfig }),
);

// its first save is gone: it was there when a metric was logged
mkdirSync(join(folder, 'emptied'));
cpSync(join(folder, 'run/config.json'), join(folder, 'emptied/config.json'));
writeFileSync(join(folder, 'emptied/metrics.jsonl'), '{"epoch":0}\n');

/** No adapter opens, so that what is told is told before one is asked for, and before data, too. */
const dawngrad = (args: string[]) =>
  run(args, { env: { ...process.env, VK_ICD_FILENAMES: join(folder, 'nowhere.json') } });

describe('before a device or a picture is opened', () => {
  it.each<[args: string, code: number, says: string]>([
    ['pretrain bad --T 0', 2, 'T: it must be a number above 0'],
    ['pretrain bad --limit 0', 2, '--limit'],
    ['pretrain bad --model resnet19', 2, 'got resnet19'],
    ['pretrain bad --out run', 4, 'one that holds a run'],
    ['pretrain --resume emptied', 4, 'checkpoint.safetensors'],
    ['pretrain nowhere', 4, 'nowhere'],
    ['pretrain --resume run/best', 4, 'got none yet'],
    ['profile bad --steps 0', 2, '--steps'],
    ['profile bad --T 0', 2, 'T: it must be a number above 0'],
    ['knn run bad --held-out 2', 2, '--held-out'],
    ['knn run bad', 4, 'checkpoint.safetensors'],
    ['linear run bad --lr x', 2, '--lr'],
    ['linear run/best bad', 4, 'got none yet'],
    ['embed bad --checkpoint nowhere.pth', 4, 'nowhere.pth'],
    ['embed bad', 2, '--checkpoint'],
    ['search no.png bad --checkpoint nowhere.pth', 4, 'no.png'],
    ['search bad', 2, 'got 1 names'],
    ['search a bad --nearest 0', 2, '--nearest'],
    ['finetune nowhere bad', 4, 'nowhere'],
    ['finetune run bad --seed -1', 2, '--seed'],
    ['export run/best x.onnx', 4, 'got none yet'],
    ['compare run nowhere', 4, 'nowhere'],
    ['experiment mechanisms bad --Ks 0', 2, 'got [0]'],
    ['experiment four-way bad --epochs 0', 2, 'epochs'],
    ['convert no.pth run2 --data nowhere', 4, 'nowhere: the pictures must exist'],
  ])('dawngrad %s ends with %i', async (args, code, says) => {
    const ended = await dawngrad(args.split(' '));
    expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(says)]);
  });
});
