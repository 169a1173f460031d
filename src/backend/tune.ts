import { ConfigError } from '../core/errors.js';
import { type Backend, backend } from './backend.js';
import { GpuBackend } from './gpu.js';
import { type Ladder, ladders, type Rung, rungOf, type Sample, tuningKey } from './ladder.js';

/** Rungs by class of shapes: what `tune` measures, and what is shipped and saved. */
export type TuningTable = Record<string, string>;

/**
 * Times the ways to compute each class of shapes on this adapter and uses the fastest from now on. In Node the table is
 * saved for the adapter and found by the next `device()`. Classes that `milliseconds` leave no time for keep their guess.
 * Call it before training starts: another rung sums in another order, so results differ in their last bits.
 *
 * @returns what was measured.
 * @throws ConfigError on the reference backend.
 */
export async function tune(on: Backend = backend(), milliseconds = 2000): Promise<TuningTable> {
  if (!(on instanceof GpuBackend)) throw new ConfigError(`tune: a GPU backend is needed; got ${on.name}. Open one with device().`);
  const clock = { end: performance.now() + milliseconds, longest: 0 };
  const table: TuningTable = {};
  for (const [l, sample] of inTurn()) {
    const best = await fastest(on, l, sample, clock);
    if (best) table[tuningKey(l, sample.params)] = best.name;
  }
  Object.assign(on.gpu.traits.tuned, table);
  if (globalThis.process?.versions?.node) await (await import('./tuning.node.js')).saveTuning(on.name, table);
  return table;
}

/** The first sample of every ladder, then the second of every ladder, and so on. */
function* inTurn(): Iterable<[Ladder<never>, Sample<never>]> {
  for (let i = 0; ladders.some((l) => i < l.samples.length); i++)
    for (const l of ladders) if (i < l.samples.length) yield [l, l.samples[i]];
}

/** Undefined when time ran out before every candidate had its turn. One that may not end in time, by the longest so far, does not start. */
async function fastest(on: GpuBackend, l: Ladder<never>, { params, buffers }: Sample<never>, clock: { end: number; longest: number }): Promise<Rung<never> | undefined> {
  const { traits } = on.gpu;
  let best = rungOf(l, params, { ...traits, tuned: {} });
  let least = Infinity;
  const memory = buffers.map((length) => on.alloc('f32', length));
  try {
    for (const rung of [best, ...l.rungs.filter((r) => r !== best && r.fits(params, traits))]) {
      const time = (times: number) => timed(on, () => on.run({ name: l.name, mirror: () => {}, gpu: () => rung.launch(params, traits) }, memory, params), times);
      const start = performance.now();
      if (start + clock.longest >= clock.end) return undefined;
      await time(1); // compiles
      const once = await time(1);
      const times = Math.min(20, Math.ceil(4 / once), Math.floor((clock.end - performance.now()) / once));
      const each = times > 0 ? Math.min(once, await time(times)) : once;
      clock.longest = Math.max(clock.longest, performance.now() - start);
      if (each < least) [best, least] = [rung, each];
    }
  } finally {
    for (const m of memory) on.free(m);
  }
  return best;
}

/** Milliseconds a call, from the submit to the end of the work. */
async function timed(on: GpuBackend, work: () => void, times: number): Promise<number> {
  for (let i = 0; i < times; i++) work();
  const start = performance.now();
  on.flush();
  await on.gpu.device.queue.onSubmittedWorkDone();
  return (performance.now() - start) / times;
}
