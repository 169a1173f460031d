import type { Pretraining } from '../moco/pretrain.js';
import type { Run } from '../moco/run.node.js';

const percent = (v: number) => `${(100 * v).toFixed(1)} %`;

/** What the run learned: weighted k-NN of raw pixels, of the encoder before and after, and chance. */
export function resultTable(run: Run, { config, heldOut, train, method }: Pretraining): string {
  const { steps, knn, before } = run.history();
  const after = knn.at(-1)?.knn;
  const last = steps.slice(-10);
  const mean = (pick: (s: (typeof last)[number]) => number) => last.reduce((sum, s) => sum + pick(s), 0) / last.length;
  const loss = `loss ${mean((s) => s.loss).toFixed(3)} (chance ${method.chance(config.batch / config.accumulate).loss.toFixed(3)}), contrast accuracy ${percent(mean((s) => s.contrastTop1))}`;
  const rows: [string, string][] = before && after !== undefined
    ? [['chance', percent(before.chance)], ['raw pixels', percent(before.rawPixels)], ['encoder, as initialised', percent(before.randomEncoder)], ['encoder, trained', percent(after)]]
    : [];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value.padStart(7)}`);
  const heading = `Weighted k-NN (k = ${config.knn}, T = ${config.knnT}) of ${heldOut.count} held-out pictures among ${train.count}:`;
  return [...(rows.length ? [heading, ...table] : [`No k-NN: ${train.labels ? 'no pictures were held out' : 'the pictures have no classes'}.`]), loss, `Run: ${run.folder} (report.html, metrics.jsonl, checkpoint.safetensors)`].join('\n');
}
