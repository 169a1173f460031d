import source from '../../kernels/row_dot.wgsl';
import type { Launch, Primitive } from '../backend/backend.js';
import { onDemand } from '../backend/variants.js';
import { ShapeError } from '../core/errors.js';
import { numel, type Shape, show } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf } from '../gpu/widths.js';
import type { Rows } from '../reference/row_dot.js';
import { record } from '../tensor/autograd.js';
import { runTo } from '../tensor/run.js';
import { checkSameShape, empty, floatType, type Tensor, view } from '../tensor/tensor.js';
import { mul } from './binary.js';
import { reduceLaunch } from './reduce_launch.js';
import { laneGroups, lanesFor, lanesKernels, onCards } from './row_lanes.js';

const shader = kernel('row_dot', source);
const cards = onDemand(onCards, () => import('./row_dot_cards.js'));
const lanesShaders = lanesKernels('row_dot_lanes', () => cards.loaded!.lanes);

/** `shape` as rows along its last axis. */
export function rowsOf(where: string, shape: Shape): Rows {
  if (shape.length === 0)
    throw new ShapeError(`${where}: rows must lie along a last axis; got ${show(shape)}. Reshape it to [1].`);
  return { rows: numel(shape.slice(0, -1)), C: shape[shape.length - 1] };
}

/** Threads that share a row: one where rows are short, else enough to keep every lane busy (and 4 to read runs). */
export function slotsOf({ rows, C }: Rows, { parallelGroups }: Traits): number {
  if (C < 64) return 1;
  return Math.min(256, Math.max(4, 2 ** Math.ceil(Math.log2((parallelGroups * 64) / Math.max(rows, 1)))));
}

/**
 * The launches of a row dot from places `a` and `b` to `d`, with `scratch` (of `rows · slots`) where rows are shared.
 */
export function rowDotLaunches(
  p: Rows,
  slots: number,
  [a, b, d, scratch]: readonly number[],
  { software }: Traits,
  unitB = false,
): Launch[] {
  const constants = { UNIT_B: Number(unitB) };
  if (!software && cards.loaded) {
    const C = p.C / widthOf(p.C);
    const { LANES } = lanesFor(C);
    const shader = lanesShaders({ LANES })[widthOf(p.C)];
    return [
      { kernel: shader, constants, params: { rows: p.rows, C }, groups: laneGroups(p.rows, LANES), bind: [a, b, d] },
    ];
  }
  const launch = { kernel: shader, constants, params: { ...p, slots }, groups: Math.ceil((p.rows * slots) / 64) };
  if (slots === 1) return [{ ...launch, bind: [a, b, d] }];
  return [
    { ...launch, bind: [a, b, scratch] },
    { ...reduceLaunch({ op: 'sum', A: p.rows, R: slots, B: 1, scale: 1 }), bind: [scratch, d] },
  ];
}

const primitive: Primitive<Rows> = {
  name: 'row_dot',
  gpu: (p, traits) => {
    const slots = slotsOf(p, traits);
    return { scratch: [p.rows * slots], launches: rowDotLaunches(p, slots, [0, 1, 2, 3], traits) };
  },
};

/**
 * d = Σ a b over the last axis: the similarity of every row of `a` with the same row of `b`. [.., C], [.., C] -> [..]
 */
export function rowDot(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b]) floatType('rowDot', x);
  checkSameShape('rowDot', 'b', b, a.shape);
  const d = runTo(empty(a.shape.slice(0, -1), 'f32', a.backend), primitive, [a, b], rowsOf('rowDot', a.shape));
  // da[r, c] = dd[r] b[r, c], db[r, c] = dd[r] a[r, c]
  return record('rowDot', d, [a, b], (dd, places) =>
    [b, a].map((other, i) => places[i] && mul(other, view(dd, [...d.shape, 1]))),
  );
}
