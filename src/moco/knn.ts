import { above0, check, checkOptions, isRecord, needed, whole } from '../core/check.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import { l2Normalize } from '../ops/l2_normalize.js';
import { matmul } from '../ops/matmul.js';
import { step } from '../step.js';
import { type Tensor, tensor } from '../tensor.js';

/** Features of pictures, with the class of each. */
export interface Features {
  /** f32 [count, size], row-major. */
  values: Float32Array;
  count: number;
  size: number;
  labels?: Uint32Array;
}

/** Throws unless features are as many as they say, all of them numbers, and so are labels if there are any. */
export function checkFeatures(where: string, what: string, f: Features): void {
  check(where, what, f, { is: 'features, an object of values, count and size', holds: isRecord }, 'Make them with embedPictures().');
  check(where, `the count of ${what}`, f.count, whole(0));
  check(where, `the size of ${what}`, f.size, whole(0));
  const { values, count, size, labels } = f;
  check(where, `the values of ${what}`, values, { is: `a Float32Array of ${count} · ${size}`, holds: (v) => v instanceof Float32Array && v.length === count * size });
  if (labels !== undefined)
    check(where, `the labels of ${what}`, labels, { is: `a Uint32Array of ${count}`, holds: (v) => v instanceof Uint32Array && v.length === count });
  const wrong = values.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new ConfigError(`${where}: the values of ${what} must be finite; got ${values[wrong]} in row ${Math.floor(wrong / size)}. The encoder has diverged: train it with a lower rate.`);
}

export interface Neighbours {
  /** u32 [queries, k], the nearest first. */
  index: Uint32Array;
  /** f32 [queries, k], cosine similarities. */
  similarity: Float32Array;
  k: number;
}

/** Queries, and rows of the bank, that are compared at once: their similarities take 64 MB. */
const [ROWS, BANK] = [256, 65536];

/** The k rows of `bank` most similar to each query, by cosine; of equals the earlier one. */
export async function nearestNeighbours(queries: Features, bank: Features, k: number): Promise<Neighbours> {
  checkNeighbours(k);
  checkFeatures('k-NN', 'the queries', queries);
  checkFeatures('k-NN', 'the bank', bank);
  if (queries.size !== bank.size) throw new ShapeError(`k-NN: queries and bank must have features of one size; got ${queries.size} and ${bank.size}. Embed both with one encoder.`);
  if (bank.count === 0) throw new ConfigError('k-NN: the bank must hold features to find neighbours in; got none. Pass at least one picture.');
  const take = Math.min(k, bank.count);
  const found = { index: new Uint32Array(queries.count * take), similarity: new Float32Array(queries.count * take), k: take };
  for (let before = 0; before < bank.count; before += BANK) {
    const some = Math.min(BANK, bank.count - before);
    const keys = step(() => l2Normalize(asTensor(bank, before, some)));
    for (let first = 0; first < queries.count; first += ROWS) {
      const rows = Math.min(ROWS, queries.count - first);
      const scores = (await step(() => matmul(l2Normalize(asTensor(queries, first, rows)), keys, { transposeB: true }).data())) as Float32Array;
      for (let i = 0; i < rows; i++) topK(scores.subarray(i * some, (i + 1) * some), before, found, (first + i) * take);
    }
  }
  return found;
}

function checkNeighbours(k: number): void {
  check('k-NN', 'k', k, whole(1), 'InstDisc and MoCo use 200.');
}

const asTensor = ({ values, size }: Features, first: number, rows: number): Tensor =>
  tensor(values.subarray(first * size, (first + rows) * size), [rows, size]);

/** Puts the scores of rows after `before` others among the k largest so far, largest first; of equals the earlier one. */
function topK(scores: Float32Array, before: number, { index, similarity, k }: Neighbours, at: number): void {
  let held = Math.min(k, before);
  for (let i = 0; i < scores.length; i++) {
    const s = scores[i];
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
export const knnAccuracy = async (queries: Features, bank: Features, options: KnnOptions): Promise<number> => {
  checkOptions('k-NN', options, { k: needed(whole(1)), T: needed(above0) });
  return (await knnSweep(queries, bank, [options.k], [options.T]))[0].accuracy;
};

/**
 * Accuracy of weighted k-NN (Wu et al., arXiv:1805.01978) for every k with every T, from neighbours that are found
 * once: each of the k nearest votes for its class with e^(s / T). A k above the bank's size is the whole bank.
 * Both sets must be labelled.
 */
export async function knnSweep(queries: Features, bank: Features, ks: readonly number[], Ts: readonly number[]): Promise<(KnnOptions & { accuracy: number })[]> {
  checkFeatures('k-NN', 'the queries', queries);
  checkFeatures('k-NN', 'the bank', bank);
  const { labels } = queries;
  if (!labels || !bank.labels) throw new ConfigError('k-NN: both sets must have labels; got pictures without. Sort them into folders by class.');
  if (queries.count === 0) throw new ConfigError('k-NN: there must be queries to be right about; got none. Hold some pictures out.');
  for (const [name, list] of [['ks', ks], ['Ts', Ts]] as const)
    check('k-NN', name, list, { is: 'a list of numbers', holds: (v) => Array.isArray(v) && v.length > 0 });
  for (const T of Ts) check('k-NN', 'T', T, above0, 'MoCo uses 0.07 or 0.1.');
  for (const k of ks) checkNeighbours(k);
  const near = await nearestNeighbours(queries, bank, Math.max(...ks));
  const right = new Map(Ts.map((T) => [T, new Uint32Array(near.k)]));
  for (const [T, counts] of right) for (let i = 0; i < queries.count; i++) vote(near, i, bank.labels, T, (k, winner) => winner === labels[i] && counts[k]++);
  return ks.flatMap((k) => Ts.map((T) => ({ k, T, accuracy: right.get(T)![Math.min(k, near.k) - 1] / queries.count })));
}

/** Tells after each vote of query `i` which class leads; of equals the one that was voted for first. */
function vote({ k, index, similarity }: Neighbours, i: number, labels: Uint32Array, T: number, leads: (place: number, label: number) => void): void {
  const votes = new Map<number, number>();
  for (let j = 0; j < k; j++) {
    const label = labels[index[i * k + j]];
    votes.set(label, (votes.get(label) ?? 0) + Math.exp((similarity[i * k + j] - 1) / T));
    leads(j, [...votes].reduce((best, v) => (v[1] > best[1] ? v : best))[0]);
  }
}
