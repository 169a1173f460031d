import { HostArray } from '../compile/inputs.js';
import { Rng } from '../core/rng.js';
import type { PartSample } from '../input/sampler.js';
import type { PretrainConfig } from '../moco/config.js';
import type { Method } from '../moco/method.js';
import { momentumCosine, stepDecay, warmupCosine } from '../optim/schedule.js';
import type { StepRecord } from './records.js';

/** What a part of a step takes besides its pictures: see `Part`. */
export interface Orders {
  shuffle: HostArray;
  unshuffle: HostArray;
  negatives?: HostArray;
}

/** What a step takes from the host. */
export interface StepSample {
  lr: HostArray;
  m: HostArray;
  parts: (PartSample & Orders)[];
}

/** Learning rate and momentum of a step, `done` steps into the run. */
export function ratesAt(c: PretrainConfig, done: number, stepsPerEpoch: number): { lr: number; m: number } {
  const at = done / stepsPerEpoch;
  const epoch = c.scheduleEvery === 'step' ? at : Math.floor(at);
  const base = c.lr * (c.batch / c.lrBatch);
  const m = c.mSchedule === 'cosine' ? momentumCosine(c.m, epoch, c.epochs) : c.m;
  if (c.schedule === 'step')
    return { lr: epoch < c.warmup ? (base * epoch) / c.warmup : stepDecay(base, epoch, c.milestones), m };
  return { lr: warmupCosine(base, epoch + (c.schedule === 'cosine-1' ? 1 : 0), c.warmup, c.epochs), m };
}

/** The orders of a run's parts, and the rows of a memory bank that each takes as negatives. */
export function ordersOf(
  { seed, shuffle: shuffled }: PretrainConfig,
  { sampled }: Method,
  count: number,
): (index: Uint32Array, number: number) => Orders {
  return ({ length }, number) => {
    const shuffle = shuffled
      ? new Rng(seed, 'shuffle', number).permutation(length)
      : Uint32Array.from({ length }, (_, i) => i);
    const unshuffle = new Uint32Array(length);
    shuffle.forEach((from, to) => (unshuffle[from] = to));
    const rng = new Rng(seed, 'negatives', number);
    const negatives = sampled && new HostArray(Uint32Array.from({ length: sampled }, () => rng.below(count)));
    return { shuffle: new HostArray(shuffle), unshuffle: new HostArray(unshuffle), ...(negatives && { negatives }) };
  };
}

/** How much of a queue holds keys after so many steps, and how old its oldest is. */
export function queueAt(config: PretrainConfig, done: number): Pick<StepRecord, 'queueFill' | 'keyAge'> {
  const { method, K, batch, symmetric } = config;
  if (method !== 'moco') return {};
  const keys = symmetric ? 2 * batch : batch;
  return { queueFill: Math.min(1, (done * keys) / K), keyAge: Math.min(done, Math.ceil(K / keys)) };
}
