import { Rng } from '../core/rng.js';
import { heldOutPlaces } from '../data/pictures.js';
import type { Features } from './knn.js';
import type { LinearConfig } from './linear-config.js';
import { fit, testOn } from './linear-fit.js';
import { cachedFeatures, featuresAt } from './probe-features.js';

/** What a learning rate came to on training pictures that its classifier was not shown. */
export interface SweptRate {
  /** For a batch of `lrBatch`, as in the configuration. */
  lr: number;
  /** In 0..1, after the last epoch; not finite where the training diverged. */
  accuracy: number;
  loss: number;
}

/** The outcome of a sweep. */
export interface Sweep {
  rates: SweptRate[];
  /** Pictures that each rate was measured on, and trained on. */
  measured: number;
  trained: number;
}

/** Learning rates that are tried, as parts of the recipe's. */
const PARTS = [3, 1, 0.3, 0.1, 0.03, 0.01];
/** Part of the training pictures that rates are measured on, and the most pictures that a sweep looks at. */
const [HELD_OUT, MOST] = [0.2, 16384];

/**
 * Trains a classifier on a part of the training pictures with each of some learning rates about the configuration's,
 * and measures it on the others. The pictures that are held out for testing have no part in it.
 *
 * @param all features of the training pictures, with labels.
 * @returns undefined where there are too few pictures to hold any of them out.
 */
export async function sweepRates(all: Features, classes: number, config: LinearConfig): Promise<Sweep | undefined> {
  const some =
    all.count <= MOST
      ? all
      : featuresAt(all, new Rng(config.seed, 'sweep').permutation(all.count).slice(0, MOST).sort());
  const { labels } = some;
  const known = { count: some.count, labels, classes: Array.from({ length: classes }, (_, c) => String(c)) };
  const [seen, others] = heldOutPlaces(known, HELD_OUT, config.seed).map((places) => featuresAt(some, places));
  if (others.count === 0 || seen.count === 0) return undefined;
  const rates: SweptRate[] = [];
  for (const part of PARTS) {
    const lr = Number((part * config.lr).toPrecision(6));
    rates.push({ lr, ...(await tryRate(seen, others, classes, { ...config, lr, views: 'cached' })) });
  }
  return { rates, measured: others.count, trained: seen.count };
}

async function tryRate(
  seen: Features,
  others: Features,
  classes: number,
  config: LinearConfig,
): Promise<Omit<SweptRate, 'lr'>> {
  const fitted = await fit(seen.size, seen.labels!, classes, cachedFeatures(seen, config), config);
  const { loss, top1 } = await testOn(fitted.classifier, others);
  const finite = fitted.finite && Number.isFinite(loss);
  return { accuracy: finite ? top1 : NaN, loss: finite ? loss : NaN };
}

/** The rate of the highest accuracy; of equals that of the smallest loss. Undefined where every training diverged. */
export function bestRate({ rates }: Sweep): SweptRate | undefined {
  const finite = rates.filter((r) => Number.isFinite(r.accuracy));
  return finite.reduce<SweptRate | undefined>(
    (best, r) =>
      !best || r.accuracy > best.accuracy || (r.accuracy === best.accuracy && r.loss < best.loss) ? r : best,
    undefined,
  );
}
