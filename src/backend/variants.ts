import { ConfigError } from '../core/errors.js';
import type { Traits } from '../gpu/device.js';
import type { Launch, Plan } from './backend.js';

/**
 * A launch that also writes the statistics of its result's columns, over tiles of `rows` rows: of every column the
 * mean, less the tile's first value, and the sum of squared deviations from it, both [tiles, columns], after the
 * operation's own buffers.
 */
export interface WithStatistics {
  readonly rows: number;
  readonly launch: Launch;
}

/** What a variant can do to its result before it is stored; each is absent, or gives nothing, where it cannot. */
export interface Epilogue<P> {
  readonly statistics?: (params: P, traits: Traits) => WithStatistics | undefined;
  /** The launch that adds a bias [N] to every row, after the operation's inputs. */
  readonly bias?: (params: P, traits: Traits) => Launch | undefined;
}

/** One way to compute an operation on a GPU. */
export interface Variant<P, N extends string = string> {
  readonly name: N;
  /** What it is for, with the figure that showed it; the whole story is in bench/notes. */
  readonly why: string;
  /** Whether this adapter has what the variant needs and the variant can compute these parameters. */
  readonly supports: (params: P, traits: Traits) => boolean;
  readonly launch: (params: P, traits: Traits) => Launch | Plan;
  readonly epilogue?: Epilogue<P>;
}

/** A typical problem of one class of shapes, small enough to be timed in milliseconds. */
export interface Sample<P> {
  readonly params: P;
  /** Elements of each of the primitive's buffers, inputs first. */
  readonly buffers: readonly number[];
  /**
   * Of an operation whose params have `half`: the buffers, by place, that are f16 where it is 1. All others are f32.
   */
  readonly halves?: readonly number[];
}

/** The same problem in precision f16. */
export const inF16 = <P>(sample: Sample<P>): Sample<P> => ({ ...sample, params: { ...sample.params, half: 1 } });

/**
 * All ways to compute one operation. The variant of a class of shapes is what a measurement says
 * (`traits.tuned['conv2d <class>']`: shipped with the library, or saved by `tune`), if there is one that supports the
 * problem; else the heuristic's. It depends on nothing else, so a resumed run and a replayed step use the kernels of
 * the first.
 */
export interface VariantTable<P, N extends string = string> {
  readonly name: string;
  /** The first is the one that computes everything, everywhere. */
  readonly variants: readonly Variant<P, N>[];
  /** Names the class of shapes, transposes and precision whose members share a variant. */
  readonly classOf: (params: P) => string;
  /** The variant where nothing was measured: one that supports the problem. */
  readonly heuristic: (params: P, traits: Traits) => N;
  /** What `tune` times, the most important class first. */
  readonly samples: readonly Sample<P>[];
}

/** Every table of the operations this program uses, in the order they were imported. */
export const variantTables: VariantTable<never>[] = [];

/**
 * Registers the variants of an operation. Names that the heuristic returns are those of variants, or do not compile.
 */
export function variantTable<P, const N extends string>(
  table: VariantTable<P, N> & { readonly heuristic: (params: P, traits: Traits) => NoInfer<N> },
): VariantTable<P> {
  variantTables.push(table as unknown as VariantTable<never>);
  return table;
}

/** What a primitive runs on a GPU: the launch of the variant of its parameters. */
export const launchOf =
  <P>(table: VariantTable<P>) =>
  (params: P, traits: Traits): Launch | Plan =>
    variantOf(table, params, traits).launch(params, traits);

/**
 * The variant that computes `params` on an adapter.
 *
 * @throws ConfigError when the heuristic names one that does not support them: a fault of the table, never passed over.
 */
export function variantOf<P>(table: VariantTable<P>, params: P, traits: Traits): Variant<P> {
  const named = (name?: string) => table.variants.find((v) => v.name === name && v.supports(params, traits));
  const measured = named(traits.tuned[tuningKey(table, params)]);
  if (measured) return measured;
  const name = table.heuristic(params, traits);
  const variant = named(name);
  if (!variant)
    throw new ConfigError(
      `variants of ${table.name}: the heuristic's must support the problem; ` +
        `got ${name} for ${JSON.stringify(params)}. ` +
        'Mend the heuristic or supports.',
    );
  return variant;
}

/** The launch with a bias of the variant of `params`, if it has one. */
export const biasedOf = <P>(table: VariantTable<P>, params: P, traits: Traits): Launch | undefined =>
  variantOf(table, params, traits).epilogue?.bias?.(params, traits);

/** How the variant of `params` writes statistics besides, if it can. */
export const statisticsOf = <P>(table: VariantTable<P>, params: P, traits: Traits): WithStatistics | undefined =>
  variantOf(table, params, traits).epilogue?.statistics?.(params, traits);

export const tuningKey = <P>(table: VariantTable<P>, params: P): string => `${table.name} ${table.classOf(params)}`;
