import source from '../../kernels/reduce.wgsl';
import rowsSource from '../../kernels/reduce_rows.wgsl';
import type { Launch, Plan, Primitive } from '../backend/backend.js';
import { onDemand } from '../backend/variants.js';
import { numel, type Shape } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import { kernel } from '../gpu/kernel.js';
import { widthOf, widths } from '../gpu/widths.js';
import type { Run } from '../reference/reduce.js';
import { runTo } from '../tensor/run.js';
import { empty, type Place, type Tensor, view } from '../tensor/tensor.js';
import { columnLanes, isWords, reducing, words16Of } from './column_lanes.js';
import { onCards } from './row_lanes.js';

const kernels = widths('reduce', source);
const cards = onDemand(onCards, () => import('./reduce_cards.js'));
const lanesShader = words16Of('reduce_lanes', () => cards.loaded!.lanes);
const rowsShader = kernel('reduce_rows', rowsSource);

const codeOf = { sum: 0, max: 1 };
/** Threads that keep a software adapter busy. */
const SLOTS = 512;

export const threads = (n: number) => Math.ceil(n / 64);

type Reduction = Run & { op: 'sum' | 'max'; scale: number };

/** Slots of the middle axis, `lanes` of them to a chunk of its rows. */
interface Slots {
  S: number;
  lanes: number;
  chunk: number;
}

function slotsLaunch({ op, A, R, B, scale }: Reduction, slots: Slots): Launch {
  const width = widthOf(B);
  return {
    kernel: kernels[width],
    constants: { OP: codeOf[op] },
    params: { A, R, B: B / width, ...slots, scale },
    groups: threads((A * slots.S * B) / width),
  };
}

/** One dispatch that reduces the middle axis whole; other operations add their partial sums with it. */
export const reduceLaunch = (p: Reduction): Launch => slotsLaunch(p, { S: 1, lanes: 1, chunk: p.R });

/** Lanes where columns are few, with 32 rows each at least; chunks where a lane would have more than 128. */
function slotsOf({ R, B }: Run): Slots {
  const columns = B / widthOf(B);
  const lanes = columns > 16 || R < 64 ? 1 : 2 ** Math.floor(Math.log2(Math.min(64 / columns, R / 32)));
  const chunks = R <= 128 * lanes ? 1 : Math.ceil(R / lanes / Math.max(64, Math.ceil(Math.sqrt(R / lanes))));
  return { S: chunks * lanes, lanes, chunk: Math.ceil(R / chunks / lanes) * lanes };
}

/**
 * The dispatches that reduce the middle axis of place `x` into `y`, by way of places from `scratch` on where it is
 * long.
 */
export function reduceLaunches(p: Reduction, [x, y, scratch]: readonly number[]): Plan {
  const byVec4 = inRows(p); // columns of a [R / 4, 4] matrix first
  const first = byVec4 ? { ...p, R: p.R / 4, B: 4 } : p;
  const slots = slotsOf(first);
  if (p.B === 0 || (!byVec4 && slots.S === 1)) return { scratch: [], launches: [{ ...reduceLaunch(p), bind: [x, y] }] };
  const rest = reduceLaunches({ ...p, R: (slots.S * first.B) / p.B }, [scratch, y, scratch + 1]);
  return {
    scratch: [p.A * slots.S * first.B, ...rest.scratch],
    launches: [{ ...slotsLaunch({ ...first, scale: 1 }, slots), bind: [x, scratch] }, ...rest.launches],
  };
}

/** Whether the reduced values are neighbours and divide by 4. */
const inRows = ({ B, R }: Run): boolean => B === 1 && R % 4 === 0 && R > 32;

/** The same on software: a thread has many vec4s in a row, and a slot for them. */
function rowsLaunches(p: Reduction): Plan {
  const R = p.R / 4;
  const chunk = Math.ceil(R / Math.max(1, Math.min(Math.ceil(SLOTS / p.A), R / 32)));
  const S = Math.ceil(R / chunk);
  const launch = (scale: number): Launch => ({
    kernel: rowsShader,
    constants: { OP: codeOf[p.op] },
    params: { A: p.A, R, S, chunk, scale },
    groups: threads(p.A * S),
  });
  if (S === 1) return { scratch: [], launches: [launch(p.scale)] };
  const rest = reduceLaunches({ ...p, R: S }, [2, 1, 3]);
  return { scratch: [p.A * S, ...rest.scratch], launches: [{ ...launch(1), bind: [0, 2] }, ...rest.launches] };
}

/** Rows that graphics cards reduce in workgroup memory; fewer are one thread's. */
const MANY_ROWS = 64;

/** The same on graphics cards, over columns in words of 16 bytes: in two dispatches, or one where one group has all. */
function lanesLaunches({ op, A, R, B, scale }: Reduction, half: 0 | 1, traits: Traits): Plan {
  const constants = { OP: codeOf[op] };
  const first = columnLanes({ C: B, rows: R, splits: A, half }, 8, reducing(traits));
  const { chunks } = first.params;
  const launch = (scale: number, bind: readonly number[]): Launch => ({
    kernel: lanesShader(half),
    constants,
    params: { ...first.params, scale },
    groups: first.groups,
    bind,
  });
  if (chunks === 1) return { scratch: [], launches: [launch(scale, [0, 1])] };
  const last = columnLanes({ C: B, rows: chunks, splits: A, half: 0 }, 8, 1, 8);
  return {
    scratch: [A * chunks * B],
    launches: [
      launch(1, [0, 2]),
      { kernel: lanesShader(0), constants, params: { ...last.params, scale }, groups: last.groups, bind: [2, 1] },
    ],
  };
}

const primitive: Primitive<Reduction & { half: 0 | 1 }> = {
  name: 'reduce',
  gpu: ({ half, ...p }, traits) => {
    if (!traits.software && cards.loaded && p.A > 0 && p.R >= MANY_ROWS && isWords({ C: p.B, half }))
      return lanesLaunches(p, half, traits);
    return traits.software && inRows(p) ? rowsLaunches(p) : reduceLaunches(p, [0, 1, 2]);
  },
};

export const runOf = (shape: Shape, first: number, last: number): Run => ({
  A: numel(shape.slice(0, first)),
  R: numel(shape.slice(first, last + 1)),
  B: numel(shape.slice(last + 1)),
});

/** Reduces the neighbouring axes first..last to size 1, in f32, to memory `y` if given. No gradient is recorded. */
export function reduced(
  op: 'sum' | 'max',
  x: Tensor,
  first: number,
  last: number,
  scale = 1,
  y: Tensor = empty(
    x.shape.map((d, i) => (i < first || i > last ? d : 1)),
    'f32',
    x.backend,
  ),
): Tensor {
  const half = x.dtype === 'f16' ? 1 : 0;
  return runTo(y, primitive, [x], { op, ...runOf(x.shape, first, last), scale, half });
}

/** Ascending axes as stretches of neighbours [first, last], the last stretch first. */
export function stretches(axes: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (let last = axes.length - 1; last >= 0; ) {
    let first = last;
    while (first > 0 && axes[first - 1] === axes[first] - 1) first--;
    found.push([axes[first], axes[last]]);
    last = first - 1;
  }
  return found;
}

/**
 * Sums a broadcast tensor back to `shape`, in the memory of `place` if that is f32 and one pass. No gradient is
 * recorded.
 */
export function sumTo(x: Tensor, shape: Shape, place?: Place): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
  const passes = stretches(axes);
  const to = passes.length === 1 ? place?.() : undefined;
  if (to?.dtype === 'f32') return reduced('sum', x, ...passes[0], 1, to);
  return view(
    passes.reduce((y, [first, last]) => reduced('sum', y, first, last), x),
    shape,
  );
}
