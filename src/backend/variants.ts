import { ConfigError } from '../core/errors.js';
import type { Traits } from '../gpu/device.js';
import type { Launch, Plan } from './backend.js';

/**
 * A launch that also writes the statistics of its result's columns, over tiles of `rows` rows: of every column the mean, less the
 * tile's first value, and the sum of squared deviations from it, both [tiles, columns], after the operation's own buffers.
 */
export interface WithStatistics {
  readonly rows: number;
  readonly launch: Launch;
}

/** One way to compute an operation on a GPU. */
export interface Rung<P> {
  readonly name: string;
  /** Whether this adapter has what the rung needs and the rung can compute these parameters. */
  readonly fits: (params: P, traits: Traits) => boolean;
  readonly launch: (params: P, traits: Traits) => Launch | Plan;
  /** What its epilogue can do besides, where it can. */
  readonly statistics?: (params: P, traits: Traits) => WithStatistics | undefined;
  /** The launch that adds a bias [N] to every row besides, after the operation's inputs. */
  readonly biased?: (params: P, traits: Traits) => Launch | undefined;
}

/** A typical problem of one class of shapes, small enough to be timed in milliseconds. */
export interface Sample<P> {
  readonly params: P;
  /** Elements of each of the primitive's buffers, inputs first. */
  readonly buffers: readonly number[];
  /** Of an operation whose params have `half`: the buffers, by place, that are halves where it is 1. All others are f32. */
  readonly halves?: readonly number[];
}

/** The same problem in precision f16. */
export const halved = <P>(sample: Sample<P>): Sample<P> => ({ ...sample, params: { ...sample.params, half: 1 } });

/**
 * All ways to compute one operation. An operation registers its candidates by building its `gpu` with `ladder`:
 *
 *     const primitive = { name: 'conv2d', gpu: ladder({ name: 'conv2d', rungs, classOf, guess, samples }) };
 *
 * The rung of a class of shapes is what a measurement says (`traits.tuned['conv2d <class>']`: shipped with the
 * library, or saved by `tune`), if there is one and it fits; else the guess. It depends on
 * nothing else, so a resumed run and a replayed step use the kernels of the first.
 */
export interface Ladder<P> {
  readonly name: string;
  /** The first is the one that computes everything, everywhere. */
  readonly rungs: readonly Rung<P>[];
  /** Names the class of shapes, transposes and precision whose members share a rung. */
  readonly classOf: (params: P) => string;
  /** The rung where nothing was measured: one that fits. */
  readonly guess: (params: P, traits: Traits) => string;
  /** What `tune` times, the most important class first. */
  readonly samples: readonly Sample<P>[];
}

/** Every ladder of the operations this program uses, in the order they were imported. */
export const ladders: Ladder<never>[] = [];

/** Registers a ladder; returns the `gpu` of its primitive. */
export function ladder<P>(of: Ladder<P>): (params: P, traits: Traits) => Launch | Plan {
  ladders.push(of as unknown as Ladder<never>);
  return (params, traits) => rungOf(of, params, traits).launch(params, traits);
}

/**
 * The rung that computes `params` on an adapter.
 *
 * @throws ConfigError when the guess names a rung that does not fit: a fault of the ladder, never passed over for a slower rung.
 */
export function rungOf<P>(of: Ladder<P>, params: P, traits: Traits): Rung<P> {
  const named = (name?: string) => of.rungs.find((r) => r.name === name && r.fits(params, traits));
  const guess = of.guess(params, traits);
  const rung = named(traits.tuned[tuningKey(of, params)]) ?? named(guess);
  if (!rung) throw new ConfigError(`ladder ${of.name}: the guess must fit; got ${guess} for ${JSON.stringify(params)}. Mend guess or fits.`);
  return rung;
}

/** The launch with a bias of the rung of `params`, if it has one. */
export const biasedOf = <P>(of: Ladder<P>, params: P, traits: Traits): Launch | undefined => rungOf(of, params, traits).biased?.(params, traits);

/** How the rung of `params` writes statistics besides, if it can. */
export const statisticsOf = <P>(of: Ladder<P>, params: P, traits: Traits): WithStatistics | undefined => rungOf(of, params, traits).statistics?.(params, traits);

export const tuningKey = <P>(of: Ladder<P>, params: P): string => `${of.name} ${of.classOf(params)}`;
