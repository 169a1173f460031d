import { momentumCosine, stepDecay, warmupCosine } from '../optim/schedule.js';
import type { PretrainConfig } from '../moco/config.js';

/** Learning rate and momentum of a step, `done` steps into the run. */
export function ratesAt(c: PretrainConfig, done: number, stepsPerEpoch: number): { lr: number; m: number } {
  const at = done / stepsPerEpoch;
  const epoch = c.scheduleEvery === 'step' ? at : Math.floor(at);
  const base = c.lr * (c.batch / c.lrBatch);
  const m = c.mSchedule === 'cosine' ? momentumCosine(c.m, epoch, c.epochs) : c.m;
  if (c.schedule === 'step') return { lr: epoch < c.warmup ? (base * epoch) / c.warmup : stepDecay(base, epoch, c.milestones), m };
  return { lr: warmupCosine(base, epoch + (c.schedule === 'cosine-1' ? 1 : 0), c.warmup, c.epochs), m };
}
