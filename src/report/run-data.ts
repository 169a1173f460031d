import type { Point } from '../core/points.js';
import type { ReportStep } from '../io/step-log.js';
import type { MapData } from './map-view.js';

/** A picture of the gallery as a `data:image/...` address. */
export interface ReportPicture {
  png: string;
  label?: string;
}

/** A neighbour of a query picture; `correct` if it is of the query's class. */
export interface ReportNeighbour extends ReportPicture {
  similarity: number;
  correct?: boolean;
}

/** Everything the report of a run shows. Accuracies lie in 0..1. */
export interface ReportData {
  title: string;
  command: string;
  config: Record<string, unknown>;
  adapter: string;
  /** How matrices were multiplied there, where the run says. */
  products?: string;
  version: string;
  seed: number;
  steps: ReportStep[];
  /** By features, and where that was measured by the outputs of the head. */
  knn: { epoch: number; accuracy: number; outputs?: number }[];
  /**
   * Standard deviation of features of length 1, times the root of their number: 1 where they spread, 0 where they
   * collapsed.
   */
  spread?: { epoch: number; value: number }[];
  /** Accuracies of weighted k-NN with `k` neighbours and temperature `T`. */
  baselines: { rawPixels?: number; randomEncoder?: number; trained?: number; chance?: number; k: number; T: number };
  /** ln(K + 1): the loss of an encoder that cannot tell the positive key from the K in the queue. */
  chanceLoss: number;
  queueSize: number;
  gallery: { query: ReportPicture; neighbours: ReportNeighbour[] }[];
  notes: string[];
  /** Pairs of views, as `data:image/...` addresses. */
  views?: { first: string; second: string; label?: string }[];
  /** Cosines of views of the same picture, and of different ones. */
  similarity?: { positive: readonly number[]; negative: readonly number[] };
  /** A k-NN curve to compare with. */
  published?: { name: string; points: readonly Point[]; by: 'features' | 'outputs'; differences: readonly string[] };
  map?: MapData;
  /** Bytes of a step's tensors, as planned and alive at the worst moment, and of everything on the device at most. */
  memory?: { planned: number; live: number; peak: number };
  elapsedSeconds: number;
}
