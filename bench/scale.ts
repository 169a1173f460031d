import { compile } from '../src/compile/compile.js';
import { resnet } from '../src/nn/resnet.js';
import { VisionTransformer } from '../src/nn/vit.js';
import { mul } from '../src/ops/binary.js';
import { infoNce } from '../src/ops/info_nce.js';
import { backward } from '../src/tensor/autograd.js';
import { parameter, state, type Tensor, tensor } from '../src/tensor/tensor.js';
import type { openOurs } from './libraries.js';
import { measure } from './measure.js';
import type { Work } from './record.js';
import { CLASSES, training } from './training.js';
import { values } from './values.js';

type Ours = Awaited<ReturnType<typeof openOurs>>;

/** Rows that would take longer are left out. */
const LONGEST_MS = 2000;
/** Leaves every row three samples: see `measure`. */
const BUDGET_MS = LONGEST_MS / 1.5;
/** Calls of a compiled step until it is replayed. */
const WARM_UP = 3;

interface Family {
  readonly title: string;
  readonly by: string;
  /** How many times the work of the size before a size has, about. */
  readonly growth: number;
  readonly sizes: readonly (readonly [size: number | string, work: () => Work<Tensor>])[];
  /** What a size counts: its time is told too. */
  readonly each?: string;
}

/** Milliseconds of a size. */
export type Point = readonly [size: number | string, ms: number];

/** How time grows with sizes: tables of each size's time, and how many times the time before it that is. */
export async function measureScale(ours: Ours): Promise<string> {
  const out: string[] = [
    `${ours.backend.name}; compiled steps, medians. Rows that would take more than ${LONGEST_MS / 1000} s are ` +
      `left out.`,
  ];
  for (const family of families(!ours.backend.gpu.software)) {
    out.push('', `## ${family.title}`, '', ...growthTable(family.by, await pointsOf(ours, family), family.each));
    process.stderr.write(`${family.title}: done\n`);
  }
  return out.join('\n');
}

export function growthTable(by: string, points: readonly Point[], each?: string): string[] {
  const rows = points.map(([size, ms], i) => [
    size,
    ms.toFixed(2),
    i ? (ms / points[i - 1][1]).toFixed(2) : '–',
    ...(each ? [((1000 * ms) / Number(size)).toFixed(2)] : []),
  ]);
  const head = [by, 'ms', 'growth', ...(each ? [`µs a ${each}`] : [])];
  return [head, head.map(() => '--:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

async function pointsOf(ours: Ours, { sizes, growth }: Family): Promise<Point[]> {
  const points: Point[] = [];
  for (const [size, make] of sizes) {
    if ((points.at(-1)?.[1] ?? 0) * growth > LONGEST_MS) break;
    const work = make();
    for (let i = 0; i < WARM_UP; i++) {
      ours.run(work);
      await ours.submit();
      await ours.done();
    }
    const [{ ms }] = await measure([{ library: ours, work }], BUDGET_MS);
    points.push([size, ms]);
  }
  return points;
}

/** What is measured; on a graphics card to larger sizes. */
function families(large: boolean): Family[] {
  const sized = (sizes: number[], more: number[], work: (size: number) => Work<Tensor>): Family['sizes'] =>
    [...sizes, ...(large ? more : [])].map((size) => [size, () => work(size)]);
  const classifier = (name: string) => resnet(name, { stem: 'cifar', dim: CLASSES });
  const tiny = () => classifier('resnet-tiny');
  return [
    {
      title: 'Batch: a supervised step, resnet-tiny, 16²',
      by: 'batch',
      growth: 2,
      sizes: sized([4, 8, 16, 32], [64, 128, 256], (N) => training(tiny(), N, 16)),
    },
    {
      title: 'Resolution: a supervised step, resnet-tiny, batch 2',
      by: 'pixels',
      growth: 4,
      sizes: sized([16, 32, 64], [128, 256], (side) => training(tiny(), 2, side)),
    },
    {
      title: 'Depth: a supervised step, batch 4 of 8²',
      by: 'model',
      growth: 2,
      sizes: ['resnet-tiny', 'resnet18', 'resnet34'].map((name) => [name, () => training(classifier(name), 4, 8)]),
    },
    {
      title: 'Depth: a supervised step, ViT of width 64, batch 4 of 64 patches',
      by: 'blocks',
      growth: 2,
      sizes: sized([1, 2, 4, 8], [16, 32], (depth) => training(transformer(depth), 4, 32)),
    },
    {
      title: 'The queue: InfoNCE and its gradient, N 32, D 128',
      by: 'K',
      growth: 4,
      sizes: sized([2 ** 10, 2 ** 12, 2 ** 14, 2 ** 16], [2 ** 18, 2 ** 20], contrast),
    },
    {
      title: 'Dispatches: a chain of products of 64',
      by: 'dispatches',
      growth: 10,
      each: 'dispatch',
      sizes: sized([100, 1000, 10000], [], chain),
    },
  ];
}

const transformer = (depth: number) =>
  new VisionTransformer({ width: 64, depth, heads: 4, patch: 4, size: 32, dim: CLASSES });

/** MoCo's loss of 32 queries against K keys, and the gradient of the queries. */
function contrast(K: number): Work<Tensor> {
  const [N, D] = [32, 128];
  const [q, k, queue] = [
    parameter(tensor(values([N, D], 1), [N, D])),
    state(tensor(values([N, D], 2), [N, D])),
    state(tensor(values([K, D], 3), [K, D])),
  ];
  const step = compile(() => {
    const { loss } = infoNce(q, k, queue, 1);
    q.grad = undefined;
    backward(loss);
    return [loss, q.grad!];
  });
  return () => step();
}

function chain(count: number): Work<Tensor> {
  const ones = state(tensor(new Float32Array(64).fill(1)));
  const products = compile(() => {
    let y = ones as Tensor;
    for (let i = 0; i < count; i++) y = mul(y, y);
    return y;
  });
  return () => [products()];
}
