import { callable, check } from '../core/check.js';
import { Rng } from '../core/rng.js';
import { allFinite } from '../core/statistics.js';
import { checkFeatures, type Features } from './knn.js';
import { pca } from './pca.js';

/** Places of pictures on a plane: near each other where features are alike. */
export interface FeatureMap {
  /** f32 [count, 2] */
  points: Float32Array;
  by: 'PCA' | 'UMAP';
}

/** What is used of the package umap-js. */
export interface UmapModule {
  UMAP: new (options: {
    nComponents: number;
    nNeighbors: number;
    random: () => number;
  }) => { fitAsync(rows: number[][]): Promise<number[][]> };
}

/** The optional package umap-js, or undefined where it is not installed. */
async function installedUmap(): Promise<UmapModule | undefined> {
  const name = 'umap-js'; // bundlers leave alone what they cannot read
  return import(/* @vite-ignore */ name).catch(() => undefined) as Promise<UmapModule | undefined>;
}

/**
 * Features on a plane by UMAP (McInnes et al., arXiv:1802.03426) where umap-js is installed, else by their two
 * principal components. Those that are not finite have their places at NaN, and no part in where the others are.
 */
export async function mapFeatures(features: Features, load = installedUmap): Promise<FeatureMap> {
  checkFeatures('mapFeatures', 'the features', features);
  check('mapFeatures', 'load', load, callable);
  const { values, count, size } = features;
  const row = (i: number) => values.subarray(i * size, (i + 1) * size);
  const sound = Array.from({ length: count }, (_, i) => i).filter((i) => allFinite(row(i)));
  if (sound.length === count) return mapFinite(features, load);
  const points = new Float32Array(2 * count).fill(NaN);
  if (sound.length < 2) return { points, by: 'PCA' };
  const rows = new Float32Array(sound.length * size);
  sound.forEach((from, to) => rows.set(row(from), to * size));
  const map = await mapFinite({ values: rows, count: sound.length, size }, load);
  sound.forEach((at, i) => points.set(map.points.subarray(2 * i, 2 * i + 2), 2 * at));
  return { ...map, points };
}

async function mapFinite(features: Features, load: typeof installedUmap): Promise<FeatureMap> {
  const { count, size } = features;
  const umap = count > 3 ? await load() : undefined;
  if (!umap) return { points: (await pca(features, 2)).projected, by: 'PCA' };
  const rng = new Rng(0, 'umap');
  const rows = Array.from({ length: count }, (_, i) => unit(features.values.subarray(i * size, (i + 1) * size)));
  const made = new umap.UMAP({ nComponents: 2, nNeighbors: Math.min(15, count - 1), random: () => rng.uniform() });
  return { points: Float32Array.from((await made.fitAsync(rows)).flat()), by: 'UMAP' };
}

/** Of length 1, so that distances go by the cosine. */
function unit(row: Float32Array): number[] {
  const length = Math.hypot(...row) || 1;
  return Array.from(row, (v) => v / length);
}
