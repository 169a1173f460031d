import { Rng } from '../core/rng.js';
import { type Augmentation, drawAugmentation } from '../ops/augment_params.js';
import { Batches } from './batches.js';
import { type PretrainConfig, viewsOf } from './config.js';
import type { Method } from './method.js';
import { ratesAt } from './rates.js';

/** What a part of a step takes, drawn on the host: see `Part`; `table1` and `table2` are [N, 17] for `augment`. */
export interface PartDraws<T> {
  index: T;
  table1: T;
  table2?: T;
  shuffle: T;
  unshuffle: T;
  negatives?: T;
}

/** Everything that differs from one step to the next. */
export interface Draws<T = Float32Array | Uint32Array> {
  lr: T;
  m: T;
  parts: PartDraws<T>[];
}

/** Draws of every step of a run. They depend on the seed, the epoch and the step alone. */
export class Drawer {
  /** The pictures of each step, those of its parts one after the other. */
  readonly batches: Batches;
  readonly #config: PretrainConfig;
  readonly #set: { count: number; height: number; width: number };
  readonly #needs: Pick<Method, 'views' | 'sampled'>;
  readonly #views: Augmentation[];

  constructor(config: PretrainConfig, set: { count: number; height: number; width: number }, needs: Pick<Method, 'views' | 'sampled'>) {
    this.#config = config;
    this.#set = set;
    this.#needs = needs;
    this.batches = new Batches(config, set.count, Math.floor(set.count / config.batch));
    this.#views = viewsOf(config);
  }

  /** The next step's, `done` steps into the run. */
  draw(done: number): Draws {
    const { batch, accumulate } = this.#config;
    const { lr, m } = ratesAt(this.#config, done, this.batches.stepsPerEpoch);
    const epoch = this.batches.epochOf(done);
    const N = batch / accumulate;
    const all = this.batches.of(done);
    const parts = Array.from({ length: accumulate }, (_, i) => this.#part(epoch, done * accumulate + i, all.slice(i * N, (i + 1) * N)));
    return { lr: Float32Array.of(lr), m: Float32Array.of(m), parts };
  }

  #part(epoch: number, number: number, index: Uint32Array): PartDraws<Float32Array | Uint32Array> {
    const { seed, shuffle: shuffled } = this.#config;
    const { count, height, width } = this.#set;
    const table = (view: number) => drawAugmentation(this.#views[view], { seed, epoch, view, indices: index, height, width });
    const shuffle = shuffled ? new Rng(seed, 'shuffle', number).permutation(index.length) : Uint32Array.from(index, (_, i) => i);
    const unshuffle = new Uint32Array(index.length);
    shuffle.forEach((from, to) => (unshuffle[from] = to));
    const rng = new Rng(seed, 'negatives', number);
    const { views, sampled } = this.#needs;
    return {
      index, table1: table(0), shuffle, unshuffle,
      ...(views === 2 && { table2: table(1) }),
      ...(sampled && { negatives: Uint32Array.from({ length: sampled }, () => rng.below(count)) }),
    };
  }
}

/** The same with `make` of each list. */
export function mapDraws<A, B>({ lr, m, parts }: Draws<A>, make: (list: A) => B): Draws<B> {
  const part = (p: PartDraws<A>) => Object.fromEntries(Object.entries(p).map(([name, list]) => [name, make(list as A)])) as unknown as PartDraws<B>;
  return { lr: make(lr), m: make(m), parts: parts.map(part) };
}
