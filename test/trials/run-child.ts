import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '../../src/backend/backend.js';
import { ReferenceBackend } from '../../src/backend/reference.js';
import { Output } from '../../src/cli/output.js';
import { train } from '../../src/cli/train.js';
import { DawngradError } from '../../src/core/errors.js';
import { splitHeldOut } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { openRun, startRun } from '../../src/train/open-run.node.js';
import { Pretraining } from '../../src/train/pretrain.js';
import { base } from '../support/short_run.js';
import { countMoments, momentsSoFar } from './kill-at.js';

/** Starts a run of four steps in the folder that is named, or resumes the one that is there. */
const [folder, saveEvery] = process.argv.slice(2);
const config = { ...base, K: 8, dim: 4, hidden: 4, size: 4, knnEvery: 1 };
useBackend(new ReferenceBackend());
countMoments();
try {
  const begun = existsSync(join(folder, 'config.json'));
  const info = { adapter: '', command: '', data: 'synthetic', choice: {}, config };
  const run = begun ? openRun(folder) : await startRun(folder, info);
  run.open();
  await run.check();
  const sets = splitHeldOut(syntheticPictures({ count: 20, size: 16, seed: 3 }), 0.2, 3);
  const training = new Pretraining(config, sets);
  if (begun) await run.resume(training);
  const out = new Output({ flags: new Map([['quiet', true]]), positional: [] });
  const code = await train(run, training, [], { out, chart: false, tensorboard: true, saveEvery: Number(saveEvery) });
  run.close();
  console.log(`moments ${momentsSoFar()}`);
  process.exit(code);
} catch (error) {
  if (!(error instanceof DawngradError)) throw error;
  console.error(error.message);
  process.exit(error.exitCode);
}
