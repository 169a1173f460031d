import type { Backend } from '../backend/backend.js';
import type { Skipped } from '../data/picture-source.js';
import type { Module } from '../nn/module.js';
import { mul } from '../ops/binary.js';
import type { Precision } from '../ops/precision.js';
import { sum } from '../ops/reduce.js';
import { reshape } from '../ops/reshape.js';
import { sqrt } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Features } from './knn.js';

/**
 * The first trained filter or matrix of an encoder: where the instability of MoCo v3 shows first (arXiv:2104.02057,
 * section 4.1).
 */
export function firstLayer(encoder: Module): { name: string; weight: Tensor } {
  const [name, weight] = [...encoder.parameters()].find(([n, p]) => n.endsWith('weight') && p.rank > 1)!;
  return { name: name.replace(/\.weight$/, ''), weight };
}

/** ‖g‖ of a parameter's latest gradient, f32 [1]. */
export const gradientNorm = ({ grad }: Tensor): Tensor => reshape(sqrt(sum(mul(grad!, grad!))), [1]);

/**
 * Standard deviation over the pictures of features of length 1, a mean over their dimensions, times √dimensions: 1
 * where features spread over every direction, 0 where all pictures have the same.
 */
export function featureSpread({ values, count, size }: Features): number {
  const [sums, squares] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < count; i++) {
    const row = values.subarray(i * size, (i + 1) * size);
    const length = Math.sqrt(row.reduce((s, v) => s + v * v, 0)) || 1;
    row.forEach((v, d) => {
      sums[d] += v / length;
      squares[d] += (v / length) ** 2;
    });
  }
  let total = 0;
  for (let d = 0; d < size; d++) total += Math.sqrt(Math.max(0, squares[d] / count - (sums[d] / count) ** 2));
  return total / Math.sqrt(size);
}

const WINDOW = 101;
const ENOUGH = 20;
const SPIKE = 10;

/** Tells gradient norms that stand out: more than ten times the running median of those before, once for each spike. */
export class SpikeDetector {
  readonly #norms: number[] = [];
  #high = false;

  /** The median that `norm` stands out from, or undefined. */
  add(norm: number): number | undefined {
    const median =
      this.#norms.length < ENOUGH ? Infinity : [...this.#norms].sort((a, b) => a - b)[this.#norms.length >> 1];
    const high = !(norm <= SPIKE * median); // so is what is no number
    const fresh = high && !this.#high;
    this.#high = high;
    if (!high) this.#norms.push(norm);
    if (this.#norms.length > WINDOW) this.#norms.shift();
    return fresh ? median : undefined;
  }
}

/**
 * Spread below which features have all but collapsed: their mean cosine is above 0.97. Features after a ReLU that are
 * sound have 0.3 and more.
 */
export const COLLAPSE = 0.15;

export const collapseText = (epoch: number, spread: number): string =>
  `epoch ${epoch}: features of all pictures are nearly the same (spread ${spread.toFixed(2)} of 1): ` +
  'the encoder has collapsed, or not learned yet. Lower --lr, raise --T, or keep --shuffle and --splits on.';

/** Steps in a row whose gradients were not finite: more than it takes to find the scale of a sound run. */
export const SKIPPED = 20;

export const skippedText = (step: number, scale: number): string =>
  `step ${step}: the gradients of ${SKIPPED} steps in a row were not finite, at a loss scale of ${scale} too, ` +
  `so none was made. ` +
  'If it goes on, the values themselves are too large for f16: use --precision f32, or lower --lr.';

/** How a run in f16 went. */
export const scaledText = (skipped: number, steps: number, scale: number): string =>
  `f16: ${skipped} of ${steps} steps skipped for gradients that were not finite; the loss scale is ${scale}.`;

/** What an adapter cannot do of what was asked for. */
export const lacking = (precision: Precision, { f16, name }: Backend): string[] => {
  if (precision !== 'f16' || f16) return [];
  return [
    `precision: ${name} has no halves (WebGPU's shader-f16): all is stored and computed in f32, ` +
      'which is neither faster nor smaller. Use --precision f32, or another --adapter.',
  ];
};

export const spikeText = (step: number, layer: string, norm: number, usual: number): string =>
  `step ${step}: the gradient of ${layer} is ${norm.toPrecision(3)} long, against ${usual.toPrecision(3)} before: ` +
  'training is unstable here. If it goes on, lower --lr or lengthen --warmup.';

export const starvedText = (epoch: number, part: number): string =>
  `epoch ${epoch}: the device waited for pictures in ${(100 * part).toFixed(0)} % of the time. ` +
  'Let more threads decode them (set UV_THREADPOOL_SIZE to the number of cores; it is 4 without), ' +
  'store them smaller, ' +
  'raise --ahead where the waiting comes and goes, or keep them in memory by --no-stream.';

export const damagedText = ({ name, reason }: Skipped): string =>
  `${name}: it cannot be decoded ('${reason}'), so grey stands for it. Replace or remove it before the next run.`;
