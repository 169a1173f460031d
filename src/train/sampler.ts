import { Rng } from '../core/rng.js';
import { placeRows } from '../data/pictures.js';
import type { Pictures } from '../data/picture-source.js';
import { type Augmentation, drawAugmentation } from '../ops/augment_params.js';
import { Batches } from '../input/batches.js';
import { type PretrainConfig, viewsOf } from '../moco/config.js';
import type { Method } from '../moco/method.js';
import { ratesAt } from './rates.js';

/** What a part of a step takes, drawn on the host: see `Part`; `table1` and `table2` are [N, 17] for `augment`, `places` [N, 3] where its pictures lie if their shapes differ. */
export interface PartDraws<T> {
  index: T;
  table1: T;
  table2?: T;
  places?: T;
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

/** What draws depend on of a data set. */
type Shapes = Pick<Pictures, 'count' | 'height' | 'width' | 'places'>;

/** Draws of every step of a run. They depend on the seed, the epoch and the step alone. */
export class Drawer {
  /** The pictures of each step, those of its parts one after the other. */
  readonly batches: Batches;
  readonly #config: PretrainConfig;
  readonly #set: Shapes;
  readonly #needs: Pick<Method, 'views' | 'sampled'>;
  readonly #views: Augmentation[];

  constructor(config: PretrainConfig, set: Shapes, needs: Pick<Method, 'views' | 'sampled'>) {
    this.#config = config;
    this.#set = set;
    this.#needs = needs;
    this.batches = new Batches(config, set.count, Math.floor(set.count / config.batch));
    this.#views = viewsOf(config);
  }

  /** The next step's, `done` steps into the run. `loaded` are the places of its pictures, where they are known once these are. */
  draw(done: number, loaded?: Uint32Array): Draws {
    const { batch, accumulate } = this.#config;
    const { lr, m } = ratesAt(this.#config, done, this.batches.stepsPerEpoch);
    const epoch = this.batches.epochOf(done);
    const N = batch / accumulate;
    const all = this.batches.of(done);
    const places = loaded ?? placeRows(this.#set, all);
    const part = (i: number) => this.#part(epoch, done * accumulate + i, all.slice(i * N, (i + 1) * N), places?.slice(3 * i * N, 3 * (i + 1) * N));
    const parts = Array.from({ length: accumulate }, (_, i) => part(i));
    return { lr: Float32Array.of(lr), m: Float32Array.of(m), parts };
  }

  #part(epoch: number, number: number, index: Uint32Array, places?: Uint32Array): PartDraws<Float32Array | Uint32Array> {
    const { seed, shuffle: shuffled } = this.#config;
    const { count, height, width } = this.#set;
    const table = (view: number) => drawAugmentation(this.#views[view], { seed, epoch, view, indices: index, height, width, places });
    const shuffle = shuffled ? new Rng(seed, 'shuffle', number).permutation(index.length) : Uint32Array.from(index, (_, i) => i);
    const unshuffle = new Uint32Array(index.length);
    shuffle.forEach((from, to) => (unshuffle[from] = to));
    const rng = new Rng(seed, 'negatives', number);
    const { views, sampled } = this.#needs;
    return {
      index, table1: table(0), shuffle, unshuffle,
      ...(views === 2 && { table2: table(1) }),
      ...(places && { places }),
      ...(sampled && { negatives: Uint32Array.from({ length: sampled }, () => rng.below(count)) }),
    };
  }
}

/** The same with `make` of each list. */
export function mapDraws<A, B>({ lr, m, parts }: Draws<A>, make: (list: A) => B): Draws<B> {
  const part = (p: PartDraws<A>) => Object.fromEntries(Object.entries(p).map(([name, list]) => [name, make(list as A)])) as unknown as PartDraws<B>;
  return { lr: make(lr), m: make(m), parts: parts.map(part) };
}
