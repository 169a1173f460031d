import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { openGpu } from '../../src/gpu/device.js';
import { openRun, startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { Saver } from '../../src/train/saver.node.js';
import { survive } from '../../src/train/survive.js';
import { base, pictures } from '../support/short_run.js';
import { Random } from './random.js';
import type { Trial } from './trial.js';

const config = { ...base, dim: 4, hidden: 4, knnEvery: 1 };
const info = { adapter: '', command: '', data: 'synthetic', choice: {}, config };

/** Trains in a folder, saving at every chance; `watch` is told what begins, with a way to lose the device. */
async function trained(folder: string, watch: (doing: string, lose: () => void) => void): Promise<void> {
  const run = await startRun(folder, info);
  const opened: GpuBackend[] = [];
  const open = async () => {
    opened.push(new GpuBackend(await openGpu()));
    useBackend(opened.at(-1));
    return opened.at(-1)!;
  };
  const at = (doing: string) => watch(doing, () => opened.at(-1)!.gpu.device.destroy());
  await open();
  let now = 0;
  const work = async () => {
    at('building');
    const training = new Pretraining(config, pictures);
    at('loading');
    await run.resume(training);
    const saver = new Saver(run, training, { minutes: 1e-6 });
    at('saving');
    await saver.begin();
    at('compiling');
    await training.run({
      onStep: (record) => {
        run.log(record);
        at('reading');
      },
      onKnn: (record) => run.log(record),
      onSpread: () => at('embedding'),
      onEpoch: (position, { score }) => {
        at('saving');
        return saver.epoch(position, score);
      },
      onHanded: (position, reported) => {
        saver.handed(position, reported);
        at('stepping');
      },
    });
    await saver.end();
  };
  await survive(work, { open, say: () => undefined, now: () => (now += 600_000) });
  run.close();
  for (const { gpu } of opened) gpu.device.destroy();
}

/** What must be the same to the bit, whatever was lost. */
const outcome = (folder: string) => {
  const run = openRun(folder);
  return JSON.stringify([[...run.metrics()], readFileSync(run.checkpoint, 'latin1')]);
};

export default {
  promise: 'a training whose device is lost at any moment goes on by itself to the same bits.',
  rounds: 1,
  async start() {
    const before = useBackend(undefined);
    const root = mkdtempSync(join(tmpdir(), 'dawngrad-losses-'));
    let moments = 0;
    await trained(join(root, 'straight'), () => moments++);
    const right = outcome(join(root, 'straight'));
    return {
      async round(seed, tally) {
        const r = new Random(seed);
        const folder = join(root, String(seed));
        let left = 1 + r.below(moments);
        await trained(folder, (doing, lose) => {
          if (--left !== 0) return;
          tally.count(`lost while ${doing}`);
          if (r.once(3)) lose();
          else setTimeout(lose, r.below(60));
        });
        if (outcome(folder) !== right) tally.lose('other bits');
        rmSync(folder, { recursive: true });
      },
      close() {
        useBackend(before);
        rmSync(root, { recursive: true, force: true });
      },
    };
  },
} satisfies Trial;
