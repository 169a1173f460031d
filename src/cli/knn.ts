import { buildEncoder } from '../checkpoints/encoder.js';
import { percent } from '../core/numbers.js';
import type { PictureSource } from '../data/picture-source.js';
import { embedPictures } from '../eval/embed.js';
import { knnSweep } from '../eval/knn.js';
import { describeFlags, type Parsed } from './args.js';
import type { Command } from './command.js';
import { chanceOf, labelledFlags, openLabelled } from './labelled-sets.js';
import { Output } from './output.js';

const KS = [1, 5, 10, 20, 50, 100, 200];
const TS = [0.07, 0.1, 0.2, 0.5];

const help = `dawngrad knn RUN_OR_CHECKPOINT [DATA] [flags]

Accuracy of weighted k-NN on held-out pictures, for several numbers of neighbours k and temperatures T: each of the
k most similar pictures votes for its class with e^(cosine / T). Without DATA, a run's own pictures are used.

Examples
  dawngrad knn runs/photos
  dawngrad knn moco_v2_800ep_pretrain.pth.tar photos/train --test photos/val

${describeFlags(labelledFlags)}`;

/** `dawngrad knn`. */
export const knn: Command = { flags: labelledFlags, help, run: runKnn };

async function runKnn(args: Parsed): Promise<number> {
  const out = new Output(args);
  const { from, encoder, train, heldOut, ahead } = await openLabelled('knn', args, out);
  const model = buildEncoder(encoder, from);
  const features = (p: PictureSource) => embedPictures(model, p, undefined, encoder.normalisation, ahead);
  const [queries, bank] = [await features(heldOut), await features(train)];
  const cells = await knnSweep(
    queries,
    bank,
    KS.filter((k) => k <= bank.count),
    TS,
  );
  const heading =
    `Weighted k-NN of ${heldOut.count} held-out pictures among ${train.count}, ` +
    `by ${bank.size} features of ${from}:`;
  out.result(`${heading}\n${sweepTable(cells, chanceOf(train))}`, {
    encoder: from,
    train: train.count,
    heldOut: heldOut.count,
    chance: chanceOf(train),
    cells,
  });
  return 0;
}

/** k down, T across, the best marked. */
export function sweepTable(cells: { k: number; T: number; accuracy: number }[], chance: number): string {
  const best = cells.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  const Ts = [...new Set(cells.map((c) => c.T))];
  const row = (k: number) =>
    cells
      .filter((c) => c.k === k)
      .map((c) => `${percent(c.accuracy).padStart(9)}${c === best ? '*' : ' '}`)
      .join('');
  const rows = [...new Set(cells.map((c) => c.k))].map((k) => `${String(k).padStart(7)}${row(k)}`.trimEnd());
  return [
    `${'k'.padStart(7)}${Ts.map((T) => `${`T = ${T}`.padStart(9)} `).join('')}`.trimEnd(),
    ...rows,
    `* the best: ${percent(best.accuracy)} with k = ${best.k} and T = ${best.T}; ` +
      `guessing gives ${percent(chance)}. It was chosen on these same pictures.`,
  ].join('\n');
}
