import { createHash } from 'node:crypto';
import type { Launch, Plan } from '../../src/backend/backend.js';
import { type VariantTable, variantOf } from '../../src/backend/variants.js';
import { Rng } from '../../src/core/rng.js';
import type { Traits } from '../../src/gpu/device.js';
import { adapters, usual } from './dry.js';

/** The adapters that choices are compared on: the usual ones, and every 17th of all that there may be. */
export const fixtures: readonly Traits[] = [...usual, ...adapters.filter((_, i) => i % 17 === 0)];

const PROBLEMS = 160;

/** The same problems in every run: all that a table's heuristic tells apart. */
const problemsOf = <P>(name: string, make: (pick: <T>(...from: T[]) => T) => P): P[] => {
  const rng = new Rng(11, name);
  return Array.from({ length: PROBLEMS }, () => make((...from) => from[rng.below(from.length)]));
};

const matmul = problemsOf('matmul', (pick) => {
  const [M, N, K] = [
    pick(1, 4, 5, 8, 9, 64, 132, 512, 4100),
    pick(1, 8, 12, 63, 256, 512, 4100),
    pick(3, 36, 512, 4096),
  ];
  const [aT, bT, batch, half] = [pick(true, false), pick(true, false), pick(1, 1, 3), pick(0, 1)];
  const strides = { aRow: aT ? 1 : K, aCol: aT ? M : 1, bRow: bT ? 1 : N, bCol: bT ? K : 1 };
  return { batch, M, N, K, aBatch: M * K, bBatch: 0, ...strides, half };
});

const conv2d = problemsOf('conv2d', (pick) => {
  const [kind, N, H, W] = [
    pick('plain', 'plain', 'plain', 'grouped', 'depthwise'),
    pick(1, 2, 64),
    pick(7, 16, 56),
    pick(9, 32),
  ];
  const groups = kind === 'plain' ? 1 : kind === 'grouped' ? 2 : pick(8, 30, 64);
  const C = kind === 'depthwise' ? groups : groups * pick(3, 4, 6, 8, 16, 24, 31, 32, 36, 64, 256);
  const O = kind === 'depthwise' ? groups : groups * pick(4, 7, 8, 12, 16, 32, 64, 130, 256, 512);
  const [R, stride, dilation, half] = [pick(1, 1, 3, 5), pick(1, 1, 2), pick(1, 1, 2), pick(0, 1)];
  const pad = pick(0, R >> 1);
  const out = (size: number) => Math.floor((size + 2 * pad - dilation * (R - 1) - 1) / stride) + 1;
  const [P, Q] = [Math.max(1, out(H)), Math.max(1, out(W))];
  const geometry = { strideH: stride, strideW: stride, padH: pad, padW: pad, dilationH: dilation, dilationW: dilation };
  return { N, H, W, C, O, R, S: R, P, Q, ...geometry, groups, half };
});

const attention = problemsOf('attention', (pick) => {
  const [batch, H, D, Nq, Nk] = [
    pick(1, 8),
    pick(1, 6),
    pick(5, 8, 24, 32, 64, 96, 128, 256),
    pick(1, 65, 197),
    pick(1, 40, 197),
  ];
  const half = pick(0, 1);
  return { batch, H, D, Nq, Nk, qRow: H * D, kvRow: 2 * H * D, kStart: 0, scale: D ** -0.5, half };
});

const infoNce = problemsOf('info_nce', (pick) => {
  const [N, K, D] = [pick(1, 17, 64, 256), pick(0, 63, 4096, 65536), pick(2, 16, 17, 36, 128, 256, 257, 512)];
  return { N, K, D, temperature: 0.07 };
});

/** By the table's name. */
export const problems: Record<string, readonly object[]> = {
  matmul,
  conv2d,
  conv2d_dx: conv2d,
  conv2d_dw: conv2d,
  attention,
  attention_grad: attention,
  info_nce: infoNce,
};

/** What a launch asks of the device, shortened to what shows a difference. */
export function signature(made: Launch | Plan): string {
  const plan = 'launches' in made ? made : { scratch: [], launches: [made] };
  const launches = plan.launches.map(({ kernel, constants = {}, params, groups, bind, words }) => [
    kernel.name,
    Object.entries(constants).sort(),
    Object.entries(params).sort(),
    groups,
    bind,
    words,
  ]);
  return JSON.stringify([plan.scratch, launches]);
}

export const digest = (texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 12);

/** The choices of a table on every fixture: a letter for each problem's variant, and what is launched as a digest. */
export function choicesOf(table: VariantTable<never>): string {
  const names = table.variants.map(({ name }) => name);
  const letter = (i: number) => String.fromCharCode(97 + i);
  const rows = fixtures.map((traits) => {
    const chosen = problems[table.name].map((p) => [variantOf(table, p as never, traits), p] as const);
    const launches = chosen.map(([variant, p]) => signature(variant.launch(p as never, traits)));
    return `${digest(launches)} ${chosen.map(([{ name }]) => letter(names.indexOf(name))).join('')}`;
  });
  return [`${table.name}: ${names.map((name, i) => `${letter(i)} ${name}`).join(', ')}`, ...rows].join('\n');
}
