import { ConfigError, ShapeError } from '../core/errors.js';
import { broadcastShapes, broadcastStrides, numel, type Shape, sameShape, show, stridesOf } from '../core/shape.js';
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js';
import { type Booleans, type Index, type List, parseIndex } from './at_index.js';
import { gather } from './gather.js';
import { reshape } from './reshape.js';
import { box, transpose } from './strided.js';

export type { Booleans, Index };

/**
 * Part of a tensor, as NumPy's `x[...]` and PyTorch's have it: `at(x, 0, ':', -1)` is `x[0, :, -1]`.
 *
 * - a whole number takes one place and drops the axis; negative ones count from the end;
 * - `'from:to:step'`, each of which may be left out or negative, is a slice: `':'`, `'1:-1'`, `'::2'`, `'::-1'`;
 * - `'...'` stands for the axes that no other index names, and `null` is a new axis of size 1;
 * - a list of whole numbers, or a tensor u32, takes these places; several lists are taken together, and broadcast;
 * - nested lists of booleans take the places that are true. Of a tensor of zeros and ones, `mask` does.
 *
 * Gradients flow back to the places that were taken, summed where one was taken twice. Of a tensor of places, whose
 * values no check can wait for, one past the end gives NaN: see `gather`.
 *
 * @param x f32, f16, i32 or u32
 * @throws ShapeError with the axis and its range, for what x does not have; ConfigError for what is no index.
 * @example at(x, '...', '::2') // every second column
 */
export function at(x: Tensor, ...index: Index[]): Tensor {
  checkTensor('at', x);
  const { shape, strides, start, lists, first } = parseIndex(index, x.shape);
  const same =
    numel(shape) === x.size && start === 0 && sameShape(reached(shape, strides), reached(shape, stridesOf(shape)));
  const y = same ? reshape(x, shape) : box('at', x, shape, strides, start);
  return lists.length > 0 ? taken(y, lists, first) : y;
}

/** Strides of the axes along which there is a step. */
const reached = (shape: Shape, strides: readonly number[]): number[] => strides.filter((_, i) => shape[i] !== 1);

/** The places of `lists` of their axes of x, as axes from `first` on. */
function taken(x: Tensor, lists: readonly List[], first: number): Tensor {
  const axes = lists.map((l) => l.axis);
  const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const [sizes, others] = [axes.map((a) => x.shape[a]), rest.map((a) => x.shape[a])];
  const { places, shape } = placesOf(lists, sizes, x);
  const order = [...axes, ...rest];
  const rows = reshape(order.some((a, i) => a !== i) ? transpose(x, order) : x, [numel(sizes), ...others]);
  const y = reshape(gather(rows, places), [...shape, ...others]);
  if (first === 0) return y;
  const from = shape.length;
  const before = others.slice(0, first).map((_, i) => from + i);
  const after = others.slice(first).map((_, i) => from + first + i);
  return transpose(y, [...before, ...shape.map((_, i) => i), ...after]);
}

/** Rows of axes of `sizes` that were made one, in the shape that the lists broadcast to. */
function placesOf(lists: readonly List[], sizes: Shape, x: Tensor): { places: Tensor<'u32'>; shape: Shape } {
  const device = lists.find((l) => 'tensor' in l);
  if (device && lists.length > 1)
    throw new ConfigError(
      `at: a tensor of places must be the only list; got ${lists.length}. Take one after the other, ` +
        'or list numbers.',
    );
  if (device) return { places: reshape(device.tensor!, [device.tensor!.size]), shape: device.tensor!.shape };
  const shape = lists.reduce<Shape>((s, l) => broadcastShapes('at', s, l.shape), []);
  const values = new Uint32Array(numel(shape));
  const steps = stridesOf(shape);
  lists.forEach((l, i) => {
    const [strides, row] = [broadcastStrides(l.shape, shape), stridesOf(sizes)[i]];
    for (let m = 0; m < values.length; m++) {
      const place = strides.reduce((sum, s, d) => sum + s * (Math.floor(m / steps[d]) % shape[d]), 0);
      values[m] += row * l.values[place];
    }
  });
  return { places: empty([values.length], 'u32', x.backend).set(values), shape };
}

/**
 * The places where a tensor is not 0, one after the other: PyTorch's `x[m]` for a mask `m`. How many there are is
 * known once the mask's values are read, so the result comes later, and not inside a compiled function.
 *
 * @param x of the mask's sizes, and any axes after them.
 * @param m any type, such as `greater(x, 0)`.
 * @returns [how many are not 0, ...the axes after the mask's]
 * @example await mask(x, greater(x, 0)) // the values above 0, in a row
 */
export async function mask(x: Tensor, m: Tensor): Promise<Tensor> {
  checkTensor('mask', x);
  checkTensor('mask', m, 'the mask');
  if (!sameShape(m.shape, x.shape.slice(0, m.rank)))
    throw new ShapeError(
      `mask: the mask must have the sizes of the first axes of ${show(x.shape)}; got ${show(m.shape)}. Reshape one.`,
    );
  const found = [...(await m.data())].flatMap((v: number, i) => (v !== 0 ? [i] : []));
  const rows = reshape(x, [m.size, ...x.shape.slice(m.rank)]);
  return gather(rows, empty([found.length], 'u32', x.backend).set(found));
}
