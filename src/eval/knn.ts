import { above0, callable, check, checkOptions, isRecord, needed, whole } from '../core/check.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { matmul } from '../ops/matmul.js';
import { type Tensor, tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';

/** Features of pictures, with the class of each. */
export interface Features {
  /** f32 [count, size], row-major. */
  values: Float32Array;
  count: number;
  size: number;
  labels?: Uint32Array;
}

/** Features that are made when they are asked for, since all at once would not fit into memory. */
export interface FeatureRows extends Omit<Features, 'values'> {
  /** f32 [count, size], those of `count` pictures from `first` on. */
  rows(first: number, count: number): Float32Array;
}

/** Throws unless features are as many as they say, and so are labels if there are any. */
export function checkFeatures(where: string, what: string, f: Features | FeatureRows): void {
  check(
    where,
    what,
    f,
    { is: 'features, an object of values, count and size', holds: isRecord },
    'Make them with embedPictures().',
  );
  check(where, `the count of ${what}`, f.count, whole(0));
  check(where, `the size of ${what}`, f.size, whole(0));
  const { count, size, labels } = f;
  if ('rows' in f) check(where, `the rows of ${what}`, f.rows, callable);
  else
    check(where, `the values of ${what}`, f.values, {
      is: `a Float32Array of ${count} · ${size}`,
      holds: (v) => v instanceof Float32Array && v.length === count * size,
    });
  if (labels !== undefined)
    check(where, `the labels of ${what}`, labels, {
      is: `a Uint32Array of ${count}`,
      holds: (v) => v instanceof Uint32Array && v.length === count,
    });
}

export interface Neighbours {
  /** u32 [queries, k], the nearest first. */
  index: Uint32Array;
  /**
   * f32 [queries, k], cosine similarities; NaN, after all others, where one of the two has features that are not
   * finite.
   */
  similarity: Float32Array;
  k: number;
}

/** Queries, and rows of the bank, that are compared at once at most. */
const [ROWS, BANK] = [256, 65536];
/**
 * Bytes of each block on the device: features of queries or of the bank, and similarities. Every adapter's buffers hold
 * twice as much.
 */
const BLOCK = 2 ** 26;

/** The k rows of `bank` most similar to each query, by cosine; of equals the earlier one. */
export async function nearestNeighbours(
  queries: Features | FeatureRows,
  bank: Features | FeatureRows,
  k: number,
): Promise<Neighbours> {
  checkNeighbours(k);
  checkBank(queries, bank);
  const take = Math.min(k, bank.count);
  const found = {
    index: new Uint32Array(queries.count * take),
    similarity: new Float32Array(queries.count * take),
    k: take,
  };
  const [most, width] = [ROWS, BANK].map((n) => Math.max(1, Math.min(n, Math.floor(BLOCK / 4 / bank.size))));
  let sorted: Promise<void> | undefined;
  for (let before = 0; before < bank.count; before += width) {
    const some = Math.min(width, bank.count - before);
    const keys = tidy(() => l2Normalize(asTensor(bank, before, some)));
    for (let first = 0; first < queries.count; first += most) {
      const rows = Math.min(most, queries.count - first);
      const scores = tidy(() =>
        matmul(l2Normalize(asTensor(queries, first, rows)), keys, { transposeB: true }).data(),
      ) as Promise<Float32Array>;
      scores.catch(() => undefined); // reported where it is awaited
      await sorted; // the device computes these while the host sorts those before
      sorted = scores.then((s) => {
        for (let i = 0; i < rows; i++) topK(s.subarray(i * some, (i + 1) * some), before, found, (first + i) * take);
      });
    }
  }
  await sorted;
  found.similarity.forEach((s, i, all) => s === -Infinity && (all[i] = NaN));
  return found;
}

function checkBank(queries: Features | FeatureRows, bank: Features | FeatureRows): void {
  checkFeatures('k-NN', 'the queries', queries);
  checkFeatures('k-NN', 'the bank', bank);
  if (queries.size !== bank.size)
    throw new ShapeError(
      `k-NN: queries and bank must have features of one size; got ${queries.size} and ${bank.size}. ` +
        `Embed both with one encoder.`,
    );
  if (bank.count === 0)
    throw new ConfigError(
      'k-NN: the bank must hold features to find neighbours in; got none. Pass at least one picture.',
    );
}

function checkNeighbours(k: number): void {
  check('k-NN', 'k', k, whole(1), 'InstDisc and MoCo use 200.');
}

const asTensor = (f: Features | FeatureRows, first: number, rows: number): Tensor =>
  tensor('rows' in f ? f.rows(first, rows) : f.values.subarray(first * f.size, (first + rows) * f.size), [
    rows,
    f.size,
  ]);

/**
 * Puts the scores of rows after `before` others among the k largest so far, largest first; of equals the earlier one.
 * NaN is the least.
 */
function topK(scores: Float32Array, before: number, { index, similarity, k }: Neighbours, at: number): void {
  let held = Math.min(k, before);
  for (let i = 0; i < scores.length; i++) {
    const s = Number.isNaN(scores[i]) ? -Infinity : scores[i];
    if (held === k && s <= similarity[at + k - 1]) continue;
    let place = held < k ? held++ : k - 1;
    for (; place > 0 && similarity[at + place - 1] < s; place--) {
      similarity[at + place] = similarity[at + place - 1];
      index[at + place] = index[at + place - 1];
    }
    similarity[at + place] = s;
    index[at + place] = before + i;
  }
}

export interface KnnOptions {
  /** Neighbours that vote. */
  k: number;
  /** Temperature of the votes. */
  T: number;
}

/** Accuracy of weighted k-NN: see `knnSweep`. */
export const knnAccuracy = async (
  queries: Features | FeatureRows,
  bank: Features | FeatureRows,
  options: KnnOptions,
): Promise<number> => {
  checkOptions('k-NN', options, { k: needed(whole(1)), T: needed(above0) });
  return (await knnSweep(queries, bank, [options.k], [options.T]))[0].accuracy;
};

/**
 * Accuracy of weighted k-NN (Wu et al., arXiv:1805.01978) for every k with every T, from neighbours that are found
 * once: each of the k nearest votes for its class with e^(s / T). A k above the bank's size is the whole bank. Of
 * classes with equal votes the one that was voted for first wins, so that ties fall the same way each time; neighbours
 * by NaN have no vote, and a query without a vote counts as wrong. Both sets must be labelled.
 */
export async function knnSweep(
  queries: Features | FeatureRows,
  bank: Features | FeatureRows,
  ks: readonly number[],
  Ts: readonly number[],
): Promise<(KnnOptions & { accuracy: number })[]> {
  checkFeatures('k-NN', 'the queries', queries);
  checkFeatures('k-NN', 'the bank', bank);
  const { labels } = queries;
  if (!labels || !bank.labels)
    throw new ConfigError('k-NN: both sets must have labels; got pictures without. Sort them into folders by class.');
  if (queries.count === 0)
    throw new ConfigError('k-NN: there must be queries to be right about; got none. Hold some pictures out.');
  for (const [name, list] of [
    ['ks', ks],
    ['Ts', Ts],
  ] as const)
    check('k-NN', name, list, { is: 'a list of numbers', holds: (v) => Array.isArray(v) && v.length > 0 });
  for (const T of Ts) check('k-NN', 'T', T, above0, 'MoCo uses 0.07 or 0.1.');
  for (const k of ks) checkNeighbours(k);
  const near = await nearestNeighbours(queries, bank, Math.max(...ks));
  const right = new Map(Ts.map((T) => [T, new Uint32Array(near.k)]));
  for (const [T, counts] of right)
    for (let i = 0; i < queries.count; i++)
      vote(near, i, bank.labels, T, (k, winner) => winner === labels[i] && counts[k]++);
  return ks.flatMap((k) => Ts.map((T) => ({ k, T, accuracy: right.get(T)![Math.min(k, near.k) - 1] / queries.count })));
}

/** Tells after each vote of query `i` which class leads; of equals the one that was voted for first. */
function vote(
  { k, index, similarity }: Neighbours,
  i: number,
  labels: Uint32Array,
  T: number,
  leads: (place: number, label: number) => void,
): void {
  const votes = new Map<number, { label: number; sum: number; turn: number }>();
  let best: { label: number; sum: number; turn: number } | undefined;
  for (let j = 0; j < k; j++) {
    const label = labels[index[i * k + j]];
    const weight = Math.exp((similarity[i * k + j] - similarity[i * k]) / T); // of the nearest 1, whatever T is
    if (weight >= 0) {
      const vote = votes.get(label) ?? { label, sum: 0, turn: j };
      if (vote.turn === j) votes.set(label, vote);
      vote.sum += weight;
      // no other class gained
      if (!best || vote.sum > best.sum || (vote.sum === best.sum && vote.turn < best.turn)) best = vote;
    }
    leads(j, best?.label ?? -1);
  }
}
