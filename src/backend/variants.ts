import { ConfigError, DeviceError } from '../core/errors.js';
import type { Traits } from '../gpu/device.js';
import type { Backend, Launch, Plan, Primitive } from './backend.js';

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
  /** What it is for, in a sentence with the figure that showed it, or what is not measured; bench/notes has more. */
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
  readonly f16?: readonly number[];
}

/** The same problem in precision f16. */
export const inF16 = <P>(sample: Sample<P>): Sample<P> => ({ ...sample, params: { ...sample.params, half: 1 } });

/** Variants of a table that only some adapters need: a file of their own, which is loaded when a device is opened. */
export interface Part<P, N extends string = string> {
  /** The adapters that need it. */
  readonly when: (traits: Traits) => boolean;
  readonly load: () => Promise<readonly Variant<P, N>[]>;
  /** What its variants show of an open device: traits that kernels are chosen by from then on. */
  readonly trial?: (on: Backend) => Promise<Partial<Traits>>;
  /** While it is loaded and from then on. */
  loading?: Promise<readonly Variant<P, N>[]>;
  /** Its variants are in the table. */
  loaded?: boolean;
}

/**
 * All ways to compute one operation. The variant of a class of shapes is what a measurement says
 * (`traits.tuned['conv2d <class>']`: shipped with the library, or saved by `tune`), if there is one that supports the
 * problem; else the heuristic's. It depends on nothing else, so a resumed run and a replayed step use the kernels of
 * the first.
 */
export interface VariantTable<P, N extends string = string> {
  readonly name: string;
  /** The first is the one that computes everything, everywhere. Those of `parts` come behind as they are loaded. */
  variants: readonly Variant<P, N>[];
  readonly parts?: readonly Part<P, N>[];
  /** Names the class of shapes, transposes and precision whose members share a variant. */
  readonly classOf: (params: P) => string;
  /** The variant where nothing was measured, which supports the problem. A name that is not theirs does not compile. */
  readonly heuristic: (params: P, traits: Traits) => NoInfer<N>;
  /** What `tune` times, the most important class first. */
  readonly samples: readonly Sample<P>[];
}

/** What an operation needs on some adapters alone: a file of its own, which is loaded when a device is opened. */
export interface Demand<T> {
  readonly when: (traits: Traits) => boolean;
  readonly load: () => Promise<T>;
  /** Once it is. */
  loaded?: T;
}

const demands: Demand<unknown>[] = [];

/** Registers it. Until it is loaded, an operation does without. */
export function onDemand<T>(when: Demand<T>['when'], load: Demand<T>['load']): Demand<T> {
  const demand: Demand<T> = { when, load };
  demands.push(demand);
  return demand;
}

/** Every table of the operations this program uses, in the order they were imported. */
export const variantTables: VariantTable<never>[] = [];

/** Registers the variants of an operation. */
export function variantTable<P, const N extends string>(table: VariantTable<P, N>): VariantTable<P> {
  variantTables.push(table as unknown as VariantTable<never>);
  return table;
}

/**
 * Loads what the tables have for an adapter, or for all of them. A table that is imported later has what it is imported
 * with, on every device that is open by then: the same in every run of a program.
 *
 * @throws DeviceError when a file cannot be loaded; the next call tries again.
 */
export async function loadVariants(traits?: Traits): Promise<void> {
  const loading = demands.map(async (demand) => {
    if (!traits || demand.when(traits)) demand.loaded ??= await demand.load().catch(refused);
  });
  await Promise.all([
    ...loading,
    ...variantTables.map(async (table) => {
      const wanted = (table.parts ?? []).filter(({ when }) => !traits || when(traits));
      for (const part of wanted) part.loading ??= part.load();
      for (const part of wanted) {
        const more = await part.loading!.catch((e: Error) => {
          part.loading = undefined;
          return refused(e);
        });
        if (!part.loaded) table.variants = [...table.variants, ...more];
        part.loaded = true;
      }
    }),
  ]);
}

function refused({ message }: Error): never {
  throw new DeviceError(`device: kernels for the adapter must be loaded; got ${message}. Try again.`);
}

/** What the trials of an adapter's variants show of an open device; one that fails, or rejects, shows nothing. */
export async function triedTraits(on: Backend, device: GPUDevice): Promise<Partial<Traits>> {
  let found: Partial<Traits> = {};
  for (const { when, trial } of variantTables.flatMap(({ parts = [] }) => parts)) {
    if (!trial || !when(on.traits!)) continue;
    device.pushErrorScope('validation');
    device.pushErrorScope('internal');
    const shown = await trial(on).catch(() => undefined);
    const failed = [await device.popErrorScope(), await device.popErrorScope()].some((e) => e !== null);
    if (!failed) found = { ...found, ...shown };
  }
  return found;
}

export const tuningKey = <P>(table: VariantTable<P>, params: P): string => `${table.name} ${table.classOf(params)}`;

/** The variant of a name, if it supports the problem. */
const supporting = <P>(table: VariantTable<P>, name: string, params: P, traits: Traits): Variant<P> | undefined => {
  const variant = table.variants.find((v) => v.name === name);
  return variant?.supports(params, traits) ? variant : undefined;
};

/**
 * The variant that a measurement says. None where it does not support the problem, which is no fault: a class has
 * members that its sample's variant does not serve, and a table may be of an adapter whose driver has changed since.
 */
function measuredOf<P>(table: VariantTable<P>, params: P, traits: Traits): Variant<P> | undefined {
  const name = traits.tuned[tuningKey(table, params)];
  return name === undefined ? undefined : supporting(table, name, params, traits);
}

/** Whether a name is of a part that is not loaded. */
const isAbsent = <P>({ variants, parts = [] }: VariantTable<P>, name: string): boolean =>
  parts.some(({ loaded }) => !loaded) && !variants.some((v) => v.name === name);

/**
 * The variant that computes `params` on an adapter; the first of the table where the heuristic's is not loaded.
 *
 * @throws ConfigError when the heuristic names one that does not support them: a fault of the table, never passed over.
 */
export function variantOf<P>(table: VariantTable<P>, params: P, traits: Traits): Variant<P> {
  const measured = measuredOf(table, params, traits);
  if (measured) return measured;
  const name = table.heuristic(params, traits);
  const variant = isAbsent(table, name) ? table.variants[0] : supporting(table, name, params, traits);
  if (!variant)
    throw new ConfigError(
      `variants of ${table.name}: the heuristic's must support the problem; ` +
        `got ${name} for ${JSON.stringify(params)}. ` +
        'Mend the heuristic or supports.',
    );
  return variant;
}

/** What a primitive runs on a GPU: the launch of the variant of its parameters. */
export const launchOf =
  <P>(table: VariantTable<P>) =>
  (params: P, traits: Traits): Launch | Plan =>
    variantOf(table, params, traits).launch(params, traits);

/** The variant of one problem, resolved once for a call that asks it for more than a launch. */
export class Choice<P> {
  readonly #variant: Variant<P>;
  readonly #params: P;
  readonly #traits: Traits;

  constructor(table: VariantTable<P>, params: P, traits: Traits) {
    this.#variant = variantOf(table, params, traits);
    this.#params = params;
    this.#traits = traits;
  }

  get name(): string {
    return this.#variant.name;
  }

  launch(): Launch | Plan {
    return this.#variant.launch(this.#params, this.#traits);
  }

  /** The launch with a bias, if the variant has one. */
  bias(): Launch | undefined {
    return this.#variant.epilogue?.bias?.(this.#params, this.#traits);
  }

  /** How the variant writes statistics besides, if it can. */
  statistics(): WithStatistics | undefined {
    return this.#variant.epilogue?.statistics?.(this.#params, this.#traits);
  }
}

/** The choice for `params` on a backend; none on the reference backend, whose mirrors have no variants. */
export const choose = <P>(on: Backend, table: VariantTable<P>, params: P): Choice<P> | undefined =>
  on.traits && new Choice(table, params, on.traits);

/** A primitive by the launch that was chosen for it, if any was. */
export const launchedBy = <P>(primitive: Primitive<P>, launch: Launch | Plan | undefined): Primitive<P> =>
  launch ? { name: primitive.name, gpu: () => launch, mirror: primitive.mirror, flops: primitive.flops } : primitive;
