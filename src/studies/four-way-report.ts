import { fixed, meanPercent, percent, percentTick, plain } from '../core/numbers.js';
import { mean } from '../core/statistics.js';
import { lineChart, type Series } from '../report/chart.js';
import { reportGrid } from '../report/grid.js';
import { reportPage } from '../report/run-page.js';
import { reportSettings } from '../report/tables.js';
import { textGrid } from '../report/text-grid.js';
import { type FourWay, type Pretrained, type Sets, standing } from './four-way.js';

/** What the report of an experiment says of how it was made. */
export interface Made {
  command: string;
  adapter: string;
  version: string;
  seed: number;
  config: Record<string, unknown>;
}

const ROUGHNESS =
  'Roughness: the variance of the changes of held-out accuracy from one epoch to the next, ' +
  'in squared percentage points; the smaller, the smoother.';

/** Accuracy over all seeds, and how smooth the curves are. */
function accuracyRows({ contenders }: FourWay): string[][] {
  const rows = contenders.map((c) => {
    const s = standing(c);
    return [s.name, meanPercent(s.each), percent(s.best), plain(1e4 * s.roughness)];
  });
  return [['classifier', 'accuracy', 'best epoch', 'roughness'], ...rows];
}

const pretrainedRow = (p: Pretrained): string[] => [
  p.model,
  p.method,
  `${p.pictures}`,
  `${p.epochs}`,
  fixed(p.loss),
  fixed(p.chance),
  percent(p.knnBefore),
  percent(p.knn),
];

/** What pretraining changed, a sentence for each model. */
function differences({ pretrained, contenders }: FourWay): string[] {
  return pretrained.map(({ model, method }) => {
    const [scratch, moco] = contenders.filter((c) => c.model === model).map(standing);
    const points = 100 * (moco.accuracy - scratch.accuracy);
    if (!Number.isFinite(points))
      return `${model}: a training diverged, so that what weights of ${method} change is not known.`;
    const factor = scratch.roughness > 0 ? plain(moco.roughness / scratch.roughness) : '–';
    const change = `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`;
    return (
      `${model}: weights of ${method} instead of random ones change accuracy by ${change} points, ` +
      `and roughness by a factor of ${factor}.`
    );
  });
}

/** Which trainings diverged, a sentence each. */
const divergences = ({ contenders }: FourWay): string[] =>
  contenders.flatMap(({ model, start, seeds, curves }) => {
    const lost = seeds.filter((_, i) => !Number.isFinite(curves[i].at(-1)!.accuracy));
    return lost.length > 0
      ? [
          `${model} from ${start} diverged with seed ${lost.join(', ')}: nothing is averaged over its seeds. ` +
            `Lower its learning rate.`,
        ]
      : [];
  });

/** The outcome for a terminal. */
export function fourWayText(result: FourWay, { train, heldOut }: Sets): string {
  const { seeds, curves } = result.contenders[0];
  return [
    `Accuracy on ${heldOut.count} held-out pictures after ${curves[0].length} epochs on ${train.count} (mean ` +
      `± standard deviation over seeds ${seeds.join(', ')}):`,
    textGrid(accuracyRows(result)),
    ROUGHNESS,
    ...differences(result),
    ...divergences(result),
  ].join('\n');
}

/** The report as one HTML file. */
export function fourWayReport(result: FourWay, sets: Sets, made: Made): string {
  const [head, ...rows] = accuracyRows(result);
  const { seeds, curves } = result.contenders[0];
  const classes = sets.train.classes!.join(', ');
  const title = 'Four classifiers: from scratch and from MoCo';
  const outcome = [
    `Share of ${sets.heldOut.count} held-out pictures classified right after ${curves[0].length} epochs on ` +
      `${sets.train.count} pictures of ${classes};`,
    `mean ± standard deviation over ${seeds.length} seeds (${seeds.join(', ')}). ` +
      `Chance is ${percent(1 / sets.train.classes!.length)}. ${ROUGHNESS}`,
    ...differences(result),
    ...divergences(result),
  ].join(' ');
  return reportPage({ title, ...made }, [
    reportGrid('Accuracy', outcome, head, rows),
    `<section aria-label="Charts"><h2>Training</h2><div ` +
      `class="charts">${accuracyChart(result)}${lossChart(result)}</div></section>`,
    reportGrid(
      'What was pretrained on what',
      `Encoders were pretrained on the ${sets.train.count} training pictures without labels, ` +
        `once for all seeds of a classifier. ` +
        `k-NN: accuracy on held-out pictures by their k = ${result.pretrained[0].k} nearest.`,
      ['model', 'method', 'pictures', 'epochs', 'loss', 'chance', 'k-NN before', 'after'],
      result.pretrained.map(pretrainedRow),
    ),
    reportSettings({ ...made, notes: [] }),
  ]);
}

/** The mean of each contender over its seeds, before the curves of each seed. */
function series({ contenders }: FourWay, read: 'accuracy' | 'loss'): Series[] {
  const each = contenders.flatMap((c, i) =>
    c.curves.map((curve) => ({
      name: '',
      points: curve.map((r) => [r.epoch, r[read]] as const),
      tone: i + 1,
      pale: true,
    })),
  );
  const means = contenders.map((c, i): Series => {
    const points = c.curves[0].map(({ epoch }, e) => [epoch, mean(c.curves.map((curve) => curve[e][read]))] as const);
    return { name: `${c.model} from ${c.start}`, points, tone: i + 1 };
  });
  return [...(contenders[0].curves.length > 1 ? each : []), ...means];
}

const accuracyChart = (result: FourWay): string =>
  lineChart({
    title: 'Held-out accuracy',
    xName: 'epoch',
    show: percent,
    tick: percentTick,
    series: series(result, 'accuracy'),
  });

const lossChart = (result: FourWay): string =>
  lineChart({
    title: 'Training loss (cross-entropy)',
    xName: 'epoch',
    show: plain,
    from: 0,
    series: series(result, 'loss'),
  });
