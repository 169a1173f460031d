import { percent, percentTick, plain } from '../core/numbers.js';
import { runningMean } from '../core/points.js';
import { type Curve, curveOf } from '../io/step-log.js';
import { lineChart, type Series } from './chart.js';
import type { ReportData } from './run-data.js';
import { similarityChart } from './run-views.js';

const NOISY = 80; // steps from which a running mean is plotted over the pale line

/** The charts of a run: loss, contrast accuracy, k-NN, learning rate, queue, spread of features and gradient. */
export function reportCharts(data: ReportData): string {
  return `<section aria-label="Charts"><h2>Training</h2><div class="charts">${[
    loss(data),
    contrast(data),
    ...(data.knn.length > 0 ? [knn(data)] : []),
    rate(data),
    ...(data.steps.some((s) => s.queueFill !== undefined) ? [queue(data)] : []),
    similarityChart(data),
    ...spread(data),
    ...gradient(data),
    ...speed(data),
  ].join('')}</div></section>`;
}

/** A noisy series as a pale line under its running mean. */
function smooth(name: string, { points, weights, ends }: Curve, tone: number): Series[] {
  if (points.length < NOISY) return [{ name, points, tone }];
  const mean = runningMean(points, Math.ceil(points.length / 80), weights);
  return [
    { name, points: ends, tone, pale: true },
    { name, points: mean, tone },
  ];
}

const loss = ({ steps, chanceLoss }: ReportData): string =>
  lineChart({
    title: 'Contrastive loss',
    xName: 'step',
    show: plain,
    series: smooth('loss', curveOf(steps, 'loss'), 1),
    guides: [{ name: 'chance:', value: chanceLoss }],
  });

function contrast({ steps }: ReportData): string {
  const top5 = curveOf(steps, 'contrastTop5');
  return lineChart({
    title: 'Contrast accuracy',
    xName: 'step',
    show: percent,
    tick: percentTick,
    from: 0,
    series: [
      ...smooth('top 1', curveOf(steps, 'contrastTop1'), 1),
      ...(top5.points.length > 0 ? smooth('top 5', top5, 2) : []),
    ],
  });
}

function knn({ knn: points, baselines, published }: ReportData): string {
  const outputs = points.flatMap((p) => (p.outputs === undefined ? [] : [[p.epoch, p.outputs] as const]));
  const levels = [
    ['raw pixels', baselines.rawPixels],
    ['random encoder', baselines.randomEncoder],
    ['chance', baselines.chance],
  ] as const;
  return lineChart({
    title: `k-NN accuracy on held-out pictures (k = ${baselines.k}, T = ${plain(baselines.T)})`,
    xName: 'epoch',
    show: percent,
    tick: percentTick,
    from: 0,
    series: [
      {
        name: outputs.length > 0 ? 'features' : 'trained encoder',
        points: points.map((p) => [p.epoch, p.accuracy] as const),
        tone: 3,
      },
      ...(outputs.length > 0 ? [{ name: 'outputs of the head', points: outputs, tone: 5 }] : []),
      ...(published ? [{ name: published.name, points: published.points, tone: 8, dashed: true }] : []),
    ],
    guides: levels.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  });
}

const rate = ({ steps }: ReportData): string =>
  lineChart({
    title: 'Learning rate',
    xName: 'step',
    show: plain,
    from: 0,
    series: [{ name: 'learning rate', points: curveOf(steps, 'lr').points, tone: 4 }],
  });

const queue = ({ steps, queueSize }: ReportData): string =>
  lineChart({
    title: `Queue fill (K = ${queueSize})`,
    xName: 'step',
    show: percent,
    tick: percentTick,
    from: 0,
    to: 1,
    series: [{ name: 'queue filled', points: curveOf(steps, 'queueFill').points, tone: 2 }],
  });

const spread = ({ spread: points = [] }: ReportData): string[] =>
  points.length === 0
    ? []
    : [
        lineChart({
          title: 'Spread of features (0: collapsed)',
          xName: 'epoch',
          show: plain,
          from: 0,
          series: [{ name: 'spread', points: points.map((p) => [p.epoch, p.value] as const), tone: 3 }],
        }),
      ];

function gradient({ steps }: ReportData): string[] {
  const norms = curveOf(steps, 'gradNorm');
  if (norms.points.length === 0) return [];
  return [
    lineChart({
      title: 'Gradient norm of the first layer',
      xName: 'step',
      show: plain,
      from: 0,
      series: smooth('gradient norm', norms, 4),
    }),
  ];
}

function speed({ steps }: ReportData): string[] {
  const speeds = curveOf(steps, 'picturesPerSecond');
  if (speeds.points.length === 0) return [];
  return [
    lineChart({
      title: 'Pictures per second',
      xName: 'step',
      show: plain,
      from: 0,
      series: smooth('pictures per second', speeds, 1),
    }),
  ];
}
