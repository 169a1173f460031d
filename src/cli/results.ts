import { fixed, percent } from '../core/numbers.js';
import { lastMean } from '../io/step-log.js';
import type { Pretraining } from '../train/pretrain.js';
import type { Run } from '../train/run.node.js';

/** What a run has learned so far; accuracies are in [0, 1]. */
export interface Results {
  readonly run: string;
  readonly step: number;
  readonly totalSteps: number;
  /** Means of the last ten steps, NaN if one of them is not finite, and what guessing gives. */
  readonly loss: number;
  readonly contrastTop1: number;
  readonly chanceLoss: number;
  readonly chanceTop1: number;
  /**
   * Weighted k-NN of chance, raw pixels and the encoder before and after; absent without classes or held-out pictures,
   * raw pixels of large streamed sets too.
   */
  readonly knn?: {
    readonly chance: number;
    readonly rawPixels?: number;
    readonly randomEncoder: number;
    readonly trained: number;
  };
}

export function resultsOf(run: Run, { config, method, position, totalSteps }: Pretraining): Results {
  const { steps, knn, before } = run.history();
  const trained = knn.at(-1)?.knn;
  const chance = method.chance(config.batch / config.accumulate);
  return {
    run: run.folder,
    step: position.step,
    totalSteps,
    loss: lastMean(steps, (s) => s.loss),
    contrastTop1: lastMean(steps, (s) => s.contrastTop1),
    chanceLoss: chance.loss,
    chanceTop1: chance.top1,
    ...(before &&
      trained !== undefined && {
        knn: { chance: before.chance, rawPixels: before.rawPixels, randomEncoder: before.randomEncoder, trained },
      }),
  };
}

/** The results as a table. */
export function resultTable(
  { run, loss, contrastTop1, chanceLoss, chanceTop1, knn }: Results,
  { config, subset: { train, heldOut } }: Pretraining,
): string {
  const rows: [string, number | undefined][] = knn
    ? [
        ['chance', knn.chance],
        ['raw pixels', knn.rawPixels],
        ['encoder, as initialised', knn.randomEncoder],
        ['encoder, trained', knn.trained],
      ]
    : [];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${percent(value).padStart(7)}`);
  const heading =
    `Weighted k-NN (k = ${config.knn}, T = ${config.knnT}) of ${heldOut.count} held-out pictures among ` +
    `${train.count}:`;
  return [
    ...(knn
      ? [heading, ...table]
      : [`No k-NN: ${train.labels ? 'no pictures were held out' : 'the pictures have no classes'}.`]),
    `loss ${fixed(loss)} (chance ${fixed(chanceLoss)}), contrast accuracy ${percent(contrastTop1)} (chance ` +
      `${percent(chanceTop1)})`,
    `Run: ${run} (report.html, metrics.jsonl, checkpoint.safetensors, best.safetensors)`,
  ].join('\n');
}
