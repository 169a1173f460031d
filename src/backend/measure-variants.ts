import type { DType } from '../core/dtype.js';
import type { Launch, Plan } from './backend.js';
import { type GpuBackend, kernelOn } from './gpu.js';
import { type Sample, tuningKey, type Variant, type VariantTable, variantOf } from './variants.js';

/** What timing the variants of a class of shapes showed. */
export interface Measured {
  /** The table and the class. */
  readonly key: string;
  /** The variant to use: the heuristic, unless another is clearly faster. */
  readonly variant: string;
  readonly heuristic: string;
  /** Time of the heuristic / time of the variant. */
  readonly speedup: number;
}

/** When all must be done, and the longest that anything timed has taken, in milliseconds. */
interface Clock {
  readonly end: number;
  longest: number;
}

/**
 * Another variant is taken where it needs less than this part of the heuristic's time: what is less is noise, and
 * changes last bits for nothing.
 */
const CLEARLY = 0.95;
/**
 * Turns of every variant, the first one cold. From the third on, of others than the heuristic only those within twice
 * the best take part, with dispatches for 4 ms.
 */
const ROUNDS = 5;

/**
 * Times every variant that supports a sample, in turns, so that other work of the machine slows all alike. Undefined
 * where there is nothing to choose, or where time ran out: a pipeline is not there in time, or a turn might not end in
 * it, judged by the longest so far.
 */
export async function measureVariants(
  on: GpuBackend,
  table: VariantTable<never>,
  sample: Sample<never>,
  clock: Clock,
): Promise<Measured | undefined> {
  const { params, buffers } = sample;
  const { traits, recorder } = on.gpu;
  const heuristic = variantOf(table, params, { ...traits, tuned: {} });
  const variants = [heuristic, ...table.variants.filter((v) => v !== heuristic && v.supports(params, traits))];
  if (variants.length < 2) return undefined;
  const types = typesOf(sample);
  for (const variant of variants) {
    const pipelines = launchesOf(variant.launch(params, traits)).map((launch) => ({
      kernel: kernelOn(on.gpu, launch, bound(launch, types)),
      constants: launch.constants ?? {},
    }));
    if (!(await inTime(() => recorder.pipelines.prepare(pipelines), clock))) return undefined;
  }
  const memory = buffers.map((length, i) => on.alloc(types[i], length));
  const run = (variant: Variant<never>) =>
    on.run({ name: table.name, gpu: () => variant.launch(params, traits) }, memory, params);
  try {
    const times = await timeInTurns(
      on,
      variants.map((variant) => () => run(variant)),
      clock,
    );
    if (!times) return undefined;
    const best = times.indexOf(Math.min(...times));
    const chosen = times[best] < CLEARLY * times[0] ? best : 0;
    const [variant, speedup] = [variants[chosen].name, times[0] / times[chosen]];
    return { key: tuningKey(table, params), variant, heuristic: heuristic.name, speedup };
  } finally {
    for (const m of memory) on.free(m);
  }
}

/** What each buffer of a sample holds. */
function typesOf({ params, buffers, f16 }: Sample<never>): DType[] {
  const { half } = params as { half?: 0 | 1 };
  return buffers.map((_, i) => (half === 1 && f16?.includes(i) ? 'f16' : 'f32'));
}

const launchesOf = (made: Launch | Plan): readonly Launch[] => ('launches' in made ? made.launches : [made]);

/** What a launch is bound to; scratch is f32. */
const bound = ({ bind }: Launch, types: readonly DType[]) =>
  (bind ? bind.map((i) => types[i] ?? 'f32') : types).map((dtype) => ({ dtype }));

/** The least milliseconds that each work took; the first is the heuristic's. */
async function timeInTurns(
  on: GpuBackend,
  works: readonly (() => void)[],
  clock: Clock,
): Promise<number[] | undefined> {
  const least = works.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, work] of works.entries()) {
      if (round > 1 && i > 0 && least[i] > 2 * Math.min(...least)) continue;
      const start = performance.now();
      if (start + clock.longest >= clock.end) return undefined;
      const times = round > 1 ? Math.max(1, Math.min(20, Math.ceil(4 / least[i]))) : 1;
      for (let n = 0; n < times; n++) work();
      on.flush();
      if (!(await inTime(() => on.gpu.loss.during(() => on.gpu.device.queue.onSubmittedWorkDone()), clock)))
        return undefined;
      const taken = performance.now() - start;
      clock.longest = Math.max(clock.longest, taken);
      least[i] = Math.min(least[i], taken / times);
    }
  return least;
}

/** Whether `work` succeeds while there is time; what is still under way then goes on by itself. */
async function inTime(work: () => Promise<unknown>, { end }: Clock): Promise<boolean> {
  const left = end - performance.now();
  if (left <= 0) return false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, left, false)));
  const done = work().then(
    () => true,
    () => false,
  );
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
