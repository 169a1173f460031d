import { checkOptions, needed, type Rule } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { PoolParams } from '../reference/pool.js';
import { floatType, type Tensor } from '../tensor/tensor.js';
import { type Pair, pair, pairFrom } from './pair.js';

export interface PoolOptions {
  /** Rows and columns of a window. */
  kernel: Pair;
  /** Rows and columns from one window to the next. Default: the window's size. */
  stride?: Pair;
  /** Rows and columns around the picture; half a window at most. Default 0. */
  padding?: Pair;
}

/** What each option must be. */
export const poolRules = { kernel: needed(pairFrom(1)), stride: pairFrom(1), padding: pairFrom(0) };

/** The sizes of a pooling, or an error that names what does not fit. */
export function poolParams(
  where: string,
  x: Tensor,
  given: PoolOptions | Pair,
  more: Record<string, Rule> = {},
): PoolParams {
  floatType(where, x);
  const options =
    typeof given === 'number' || Array.isArray(given) ? { kernel: given as Pair } : (given as PoolOptions);
  checkOptions(where, options, { ...poolRules, ...more });
  const [R, S] = pair(options.kernel);
  const [strideH, strideW] = pair(options.stride ?? options.kernel);
  const [padH, padW] = pair(options.padding ?? 0);
  if (x.rank !== 4) throw new ShapeError(`${where}: x must be [N, H, W, C]; got ${show(x.shape)}. Reshape it.`);
  if (2 * padH > R || 2 * padW > S)
    throw new ShapeError(
      `${where}: padding must be half the window at most; got padding ${show([padH, padW])} and kernel ` +
        `${show([R, S])}. Pad less.`,
    );
  const [N, H, W, C] = x.shape;
  const P = Math.floor((H + 2 * padH - R) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - S) / strideW) + 1;
  if (P < 1 || Q < 1)
    throw new ShapeError(
      `${where}: the window must fit into the padded picture; ` +
        `got x ${show(x.shape)}, kernel ${show([R, S])} and padding ${show([padH, padW])}. ` +
        `Pad more or use a smaller window.`,
    );
  return { N, H, W, C, R, S, P, Q, strideH, strideW, padH, padW };
}

/** A launcher of one kernel, over single channels or over four at a time where they divide by 4. */
export function poolLaunch(name: string, source: string) {
  const kernels = widths(name, source);
  return (p: PoolParams, elements: number) => {
    const width = widthOf(p.C);
    return { kernel: kernels[width], params: { ...p, C: p.C / width }, groups: Math.ceil(elements / width / 64) };
  };
}
