import { DivergedError } from '../core/errors.js';
import { mul } from '../ops/binary.js';
import { LEAST_SCALE } from '../ops/loss_scale.js';
import type { Precision } from '../ops/precision.js';
import { sum } from '../ops/reduce.js';
import type { FlatParameters } from '../optim/flat.js';
import { noGrad } from '../tensor/autograd.js';
import { tidy } from '../tensor/tidy.js';

/** What a training was set to, as far as that tells why it diverged. */
interface Setting {
  /** The learning rate of the step. */
  lr: number;
  T?: number;
  precision?: Precision;
}

/**
 * What a step measured: the loss, the length of a layer's gradient, and with f16 steps skipped in a row and the next
 * loss scale.
 */
interface Measured {
  loss: number;
  norm?: number;
  layer?: string;
  inRow?: number;
  lossScale?: number;
}

/** What a step's state of the loss scale says, where it has one: see `LossScale.state`. */
export function scaleIn(state?: ArrayLike<number>): { lossScale?: number; skipped?: number; inRow?: number } {
  return state ? { lossScale: state[0], skipped: state[2], inRow: state[3] } : {};
}

/**
 * What says that a training has diverged, or undefined. Steps that f16 skips do so once the loss scale cannot fall any
 * more.
 */
export function notFinite({ loss, norm = 0, layer, inRow = 0, lossScale = 1 }: Measured): string | undefined {
  if (inRow > 0)
    return lossScale <= LEAST_SCALE ? `gradients of NaN, ${inRow} steps in a row, at the least loss scale` : undefined;
  if (!Number.isFinite(loss)) return `a loss of ${loss}`;
  return Number.isFinite(norm) ? undefined : `a gradient of ${layer} of length ${norm}`;
}

/** The same of parameters, once the device has done what it was given. */
export async function notFiniteParameters({ values }: FlatParameters): Promise<string | undefined> {
  // too small to overflow, and NaN and infinity stay
  const [total] = await tidy(() => noGrad(() => sum(mul(values, 2 ** -100)).data()));
  return Number.isFinite(total) ? undefined : 'parameters that are not';
}

/** The error of a training that has diverged: where, when, what is likely to blame, and what to do. */
export function divergedAt(
  where: string,
  at: number,
  got: string,
  { lr, T, precision = 'f32' }: Setting,
): DivergedError {
  const temperature = T === undefined ? '' : `, T ${T}`;
  const cures = [
    'lower --lr or lengthen --warmup',
    ...(T === undefined ? [] : ['raise --T']),
    ...(precision === 'f16' ? ['use --precision f32'] : []),
  ];
  return new DivergedError(
    `${where}: loss, gradients and parameters must stay finite; ` +
      `got ${got} in step ${at} (learning rate ${lr}${temperature}, ${precision}). ` +
      `Training has diverged, most often by too high a rate: ${cures.join(', ')}, or look for a damaged picture.`,
  );
}
