import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/core/dtype.js';
import { numel } from '../../src/core/shape.js';
import { at, type Index, mask } from '../../src/ops/at.js';
import { greater, mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';
import { checkOp, uglySize, uglySizeAtLeast1 } from '../support/op.js';

const exact = { relative: 1e-6, absolute: 0 };
const counted = (shape: number[], dtype: DType = 'f32') =>
  tensor(
    Float32Array.from({ length: numel(shape) }, (_, i) => i),
    shape,
    dtype,
  );

/** Of NumPy's arange(120).reshape(2, 3, 4, 5): an index, the shape of what it gives, and Σ (i + 1) y[i]. */
const numpy: [Index[], number[], number][] = [
  [[0], [3, 4, 5], 71980],
  [[-1], [3, 4, 5], 181780],
  [[1, 2], [4, 5], 23660],
  [[0, ':', 3], [3, 5], 5470],
  [['...', -1], [2, 3, 4], 24200],
  [[':', '...', '::2'], [2, 3, 4, 3], 208212],
  [['1:-1'], [0, 3, 4, 5], 0],
  [[':', '1:-1', '::-1'], [2, 1, 4, 5], 59620],
  [['::-1', '::-2', '3:0:-2'], [2, 2, 2, 5], 34420],
  [[null, 0], [1, 3, 4, 5], 71980],
  [['...', null], [2, 3, 4, 5, 1], 575960],
  [[0, null, ':', null], [1, 3, 1, 4, 5], 71980],
  [[':', '5:'], [2, 0, 4, 5], 0],
  [[':', ':', '-100:100:3'], [2, 3, 2, 5], 145130],
  [[[1, 0, 1]], [3, 3, 4, 5], 1186140],
  [[':', [2, -1]], [2, 2, 4, 5], 308240],
  [
    [
      [0, 1],
      [2, 0],
    ],
    [2, 4, 5],
    54120,
  ],
  [
    [
      [
        [0, 1],
        [1, 0],
      ],
      [2],
    ],
    [2, 2, 4, 5],
    260240,
  ],
  [[':', [0, 2], [1, 3]], [2, 2, 5], 17310],
  [[0, ':', [1, 3]], [2, 3, 5], 18065],
  [[':', 0, [1, 3]], [2, 2, 5], 12110],
  [[':', 0, ':', [1, 3]], [2, 2, 4], 6496],
  [[[0], ':', [1]], [1, 3, 5], 4270],
  [[[0, 1], null, [2, 0]], [2, 1, 4, 5], 54120],
  [[[true, false]], [1, 3, 4, 5], 71980],
  [[':', [true, false, true]], [2, 2, 4, 5], 259440],
  [
    [
      [
        [true, false, true],
        [false, true, false],
      ],
    ],
    [3, 4, 5],
    124580,
  ],
  [
    [
      ':',
      [
        [true, false, false, false],
        [false, false, true, false],
        [false, false, false, true],
      ],
    ],
    [2, 3, 5],
    37615,
  ],
  [['...', [true, false, false, true, true]], [2, 3, 4, 3], 209088],
  [[[false, false]], [0, 3, 4, 5], 0],
  [[[[]]], [1, 0, 3, 4, 5], 0],
  [['::2', [1], '...', [0, 4]], [2, 1, 4], 1144],
  [
    [
      [true, true],
      [0, 2],
    ],
    [2, 4, 5],
    70120,
  ],
  [[null, [1, 0], '1:', '...', '::3'], [1, 2, 2, 4, 2], 30456],
  [[-1, -1, -1, -1], [], 119],
  [['1:0'], [0, 3, 4, 5], 0],
  [['...', '4:1:-2'], [2, 3, 4, 2], 94124],
  [[1, '...', [0, 1, 2], [4, 3, 2]], [3, 3], 4152],
  [[':', [[0], [2]], [1, 3]], [2, 2, 2, 5], 67420],
  [[[1], 0, '...'], [1, 4, 5], 15260],
  [['...', 0, [1]], [2, 3, 1], 1421],
  [[[0], null, 0], [1, 1, 4, 5], 2660],
];

/** What a tensor of nested lists has at `index`, by loops. At most one entry of the index is a list. */
function plain(x: any, [first, ...rest]: Index[]): unknown {
  if (first === undefined) return x;
  if (first === null) return [plain(x, rest)];
  if (typeof first === 'number') return plain(x.at(first), rest);
  if (typeof first !== 'string') {
    const list = Array.from(first as boolean[]);
    const places =
      typeof list[0] === 'boolean' ? list.flatMap((held, i) => (held ? [i] : [])) : (list as unknown as number[]);
    return places.map((i) => plain(x.at(i), rest));
  }
  const [from, to, step = 1] = first.split(':').map((v) => (v === '' ? undefined : Number(v)));
  const all = x.map((_: unknown, i: number) => i);
  const begin = from === undefined ? undefined : from < 0 ? Math.max(from + all.length, 0) : from;
  const end = to === undefined ? undefined : to < 0 ? Math.max(to + all.length, 0) : to;
  if (step > 0)
    return all
      .filter((i: number) => i >= (begin ?? 0) && i < (end ?? Infinity) && (i - (begin ?? 0)) % step === 0)
      .map((i: number) => plain(x[i], rest));
  const [high, low] = [
    Math.min(begin ?? Infinity, all.length - 1),
    from !== undefined && from < -all.length ? Infinity : to !== undefined && to < -all.length ? -1 : (end ?? -1),
  ];
  return all
    .reverse()
    .filter((i: number) => i <= high && i > low && (high - i) % -step === 0)
    .map((i: number) => plain(x[i], rest));
}

/** Rows of rows, as `shape` says. */
const nested = (values: number[], [n, ...rest]: number[]): unknown =>
  n === undefined
    ? values[0]
    : Array.from({ length: n }, (_, i) => nested(values.slice(i * numel(rest), (i + 1) * numel(rest)), rest));

const bound = fc.oneof(fc.constant(''), fc.integer({ min: -18, max: 18 }).map(String));
const slices = fc
  .tuple(bound, bound, fc.constantFrom('', ':', ':1', ':2', ':3', ':-1', ':-2', ':-5'))
  .map(([a, b, c]) => `${a}:${b}${c}`);
/** An index of each axis, numbers only where there is no list, and new axes between. */
const indexed = fc
  .array(uglySizeAtLeast1, { minLength: 1, maxLength: 3 })
  .filter((s) => numel(s) < 3000)
  .chain((shape) =>
    fc
      .record({
        list: fc.integer({ min: -2, max: shape.length - 1 }),
        named: fc.integer({ min: 1, max: shape.length }),
      })
      .chain(({ list, named }) =>
        fc
          .tuple(
            ...shape.slice(0, named).map((n, axis): fc.Arbitrary<Index[]> => {
              const place = fc.integer({ min: -n, max: n - 1 });
              const one: fc.Arbitrary<Index> =
                axis === list
                  ? fc.oneof(fc.array(place, { maxLength: 5 }), fc.array(fc.boolean(), { minLength: n, maxLength: n }))
                  : list >= 0
                    ? slices
                    : fc.oneof(place, slices);
              return fc.oneof(
                one.map((v): Index[] => [v]),
                one.map((v): Index[] => [null, v]),
              );
            }),
          )
          .map((items) => ({ shape, index: items.flat() })),
      ),
  );

describe('at', () => {
  it.each(numpy)('%j is as in NumPy', async (index, shape, sum) => {
    const y = on(reference, () => at(counted([2, 3, 4, 5]), ...index));
    expect(y.shape).toEqual(shape);
    expect([...(await y.data())].reduce((total, v, i) => total + (i + 1) * v, 0)).toBe(sum);
  });

  it('any index of any shape is as by loops', () =>
    fc.assert(
      fc.asyncProperty(indexed, async ({ shape, index }) => {
        const y = on(reference, () => at(counted(shape), ...index));
        const want = plain(
          nested(
            Array.from({ length: numel(shape) }, (_, i) => i),
            shape,
          ),
          index,
        );
        expect(nested([...(await y.data())], [...y.shape])).toEqual(want);
      }),
      { numRuns: 200 },
    ));

  it('GPU = mirror, gradients', () =>
    checkOp(indexed, ({ shape, index }) => ({ inputs: [{ shape }], f: (x) => at(x, ...index) }), exact));

  it('of more than one list: GPU = mirror, gradients that add up', () =>
    checkOp(
      fc.constantFrom<Index[][]>(
        [
          [0, 1, 1],
          [2, 0, 0],
        ],
        ['...', [1, 1], [0, 0]],
        [[[0], [1]], ':', [0, 3, 3]],
        [1, ':', [2, 2]],
      ),
      (index) => ({ inputs: [{ shape: [2, 3, 4] }], f: (x) => at(x, ...index) }),
      exact,
      8,
    ));

  it('a tensor of places is looked up on the device, whatever its shape', () =>
    checkOp(
      uglySize,
      (n) => ({
        inputs: [{ shape: [3, 5, 2] }, { shape: [2, n], dtype: 'u32', values: (r) => r.below(5) }],
        f: (x, places) => at(x, ':', places),
      }),
      exact,
      10,
    ));

  it('keeps the type of whole numbers, and takes typed arrays', async () => {
    const y = on(reference, () => at(counted([4, 3], 'u32'), Int32Array.of(-1, 0), '::-1'));
    expect([y.dtype, ...(await y.data())]).toEqual(['u32', 11, 10, 9, 2, 1, 0]);
  });

  it.each<[any[], string]>([
    [[2], 'at: the index of axis 0 must lie in [-2, 1]; got 2.'],
    [[0, -4], 'at: the index of axis 1 must lie in [-3, 2]; got -4.'],
    [['...', [0, 3]], 'at: the index of axis 1 must lie in [-3, 2]; got 3.'],
    [[0, 0, 0], 'at: the index must name at most 2 axes of [2, 3]; got 3.'],
    [['...', '...'], "at: '...' must come once at most; got 2."],
    [[[true, false, true]], 'at: a mask must have the sizes of its axes, [2] from axis 0 on; got [3].'],
    [[[[1, 2], [3]]], 'at: nested lists must all have the same sizes; got [2] beside [1].'],
    [
      [
        [0, 1],
        [0, 1, 2],
      ],
      'at: shapes must broadcast',
    ],
    [['1:2:0'], "at: an index must be a whole number, a slice as '1:-1'"],
    [['1'], 'at: an index must be'],
    [[0.5], 'at: an index must be'],
    [[[0, 'a']], 'at: an index must be'],
    [[undefined], 'at: an index must be'],
    [[true], 'at: an index must be'],
    [[{}], 'at: an index must be'],
  ])('%j of [2, 3] is refused', (index, message) =>
    on(reference, () => expect(() => at(counted([2, 3]), ...index)).toThrow(message)),
  );

  it('says what to do with a mask on the device, and with two tensors of places', () =>
    on(reference, () => {
      const [x, places] = [counted([2, 3]), tensor([0, 1], [2], 'u32')];
      expect(() => at(x, greater(x, 1))).toThrow('For a mask use `await mask(x, m)`');
      expect(() => at(x, places, places)).toThrow(
        'at: a tensor of places must be the only list; got 2. Take one after the other',
      );
    }));
});

describe('mask', () => {
  it('takes what is not 0, and gives it the gradient', async () => {
    const device = await gpu();
    const x = on(device, () => parameter(tensor([3, -1, 2, -5, 0, 7], [2, 3])));
    const y = await on(device, () => mask(x, greater(x, 0)));
    expect([y.shape, [...(await y.data())]]).toEqual([[3], [3, 2, 7]]);
    on(device, () => backward(sum(mul(y, tensor([10, 20, 30])))));
    expect([...(await x.grad!.data())]).toEqual([10, 0, 20, 0, 0, 30]);
  });

  it('of the first axes takes rows; none at all gives none', async () => {
    const [rows, none] = await Promise.all(
      on(reference, () => [mask(counted([3, 2]), tensor([1, 0, 1])), mask(counted([3, 2]), tensor([0, 0, 0]))]),
    );
    expect([rows.shape, [...(await rows.data())], none.shape]).toEqual([
      [2, 2],
      [0, 1, 4, 5],
      [0, 2],
    ]);
  });

  it('refuses another shape', () =>
    on(reference, () =>
      expect(mask(counted([2, 3]), counted([3]))).rejects.toThrow(
        'mask: the mask must have the sizes of the first axes of [2, 3]; got [3].',
      ),
    ));
});
