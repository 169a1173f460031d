import { atLeast0, callable, check, shown } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { type Backend, backend } from './backend.js';
import { GpuBackend } from './gpu.js';
import { type Measured, measureVariants } from './measure-variants.js';
import { inF16, loadVariants, type Sample, type VariantTable, variantTables } from './variants.js';

/** Variants by class of shapes: what `tune` measures, and what is shipped and saved. */
export type TuningTable = Record<string, string>;

/**
 * Times the ways to compute each class of shapes on this adapter, in f16 too where it has f16, and uses the fastest
 * from now on. In Node the table is saved for the adapter and found by the next `device()` of this version of the
 * library. It returns in `milliseconds` even where a driver compiles for longer; classes they leave no time for keep
 * their heuristic. Call it before training starts: another variant sums in another order, so results differ in their
 * last bits.
 *
 * @param hear is called with what each class showed.
 * @returns the variants of all classes that were measured.
 * @throws ConfigError on the reference backend.
 */
export async function tune(
  on: Backend = backend(),
  milliseconds = 2000,
  hear: (measured: Measured) => void = () => {},
): Promise<TuningTable> {
  if (!(on instanceof GpuBackend))
    throw new ConfigError(`tune: the backend must be a GPU's; got ${on?.name ?? shown(on)}. Open one with device().`);
  check('tune', 'milliseconds', milliseconds, atLeast0);
  check('tune', 'hear', hear, callable);
  await loadVariants(); // those for other adapters too: they may win
  const clock = { end: performance.now() + milliseconds, longest: 0 };
  const tuned: TuningTable = {};
  for (const [table, sample] of inTurn(on.f16)) {
    const measured = await measureVariants(on, table, sample, clock);
    if (!measured) continue;
    tuned[measured.key] = measured.variant;
    hear(measured);
  }
  Object.assign(on.gpu.traits.tuned, tuned);
  if (globalThis.process?.versions?.node) await (await import('./tuning.node.js')).saveTuning(on.name, tuned);
  return tuned;
}

/** The first sample of every table, then the second of every table, and so on; each in f16 too, where it may be. */
function* inTurn(f16: boolean): Iterable<[VariantTable<never>, Sample<never>]> {
  for (let i = 0; variantTables.some((table) => i < table.samples.length); i++)
    for (const precision of f16 ? ['f32', 'f16'] : ['f32'])
      for (const table of variantTables) {
        const sample = table.samples[i];
        if (sample && precision === 'f32') yield [table, sample];
        else if (sample?.f16) yield [table, inF16(sample)];
      }
}
