import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { inF16, variantTables } from '../src/backend/variants.js';
import type { DType } from '../src/core/dtype.js';
import { DTypeError, ShapeError } from '../src/core/errors.js';
import { Rng } from '../src/core/rng.js';
import type { Traits } from '../src/gpu/device.js';
import { adamw } from '../src/ops/adamw.js';
import { augment } from '../src/ops/augment.js';
import { AUGMENT_COLUMNS } from '../src/ops/augment_params.js';
import { bankWrite } from '../src/ops/bank_write.js';
import { ema } from '../src/ops/ema.js';
import { lars, larsTable } from '../src/ops/lars.js';
import { lossScale } from '../src/ops/loss_scale.js';
import { withPrecision } from '../src/ops/precision.js';
import { queueWrite } from '../src/ops/queue_write.js';
import { sum } from '../src/ops/reduce.js';
import { restore } from '../src/ops/restore.js';
import { sgd } from '../src/ops/sgd.js';
import { mirrors } from '../src/reference/mirrors.js';
import { backward } from '../src/tensor/autograd.js';
import { zeros } from '../src/tensor/fill.js';
import { empty, parameter } from '../src/tensor/tensor.js';
import { tidy } from '../src/tensor/tidy.js';
import { on } from './support/devices.js';
import { adapters, described, dry, usual } from './support/dry.js';
import { type EveryOp, everyOp } from './support/every-op.js';

/** Nothing, one, less than a tile, a tile and more, divisible by 4 and not. */
const sizes = [0, 1, 2, 3, 4, 7, 8, 12, 16, 31, 32, 36, 64, 100, 128, 132];
const ranges = [sizes, sizes.filter((n) => n % 4 === 0), [4, 8, 12]];

interface Problem {
  traits: Traits;
  seed: number;
  /** Which inputs are f16 where they may be; `exact` f32 may not be multiplied as f16. */
  half: 'none' | 'some' | 'all' | 'exact';
}

const precisionOf = { none: 'f32', some: 'f16', all: 'f16', exact: 'f32-exact' } as const;

/**
 * What an operation dispatches on an adapter, forward and backward, is chosen, sized and checked. It may refuse types
 * that differ.
 */
function dispatchAll({ make, gradient }: EveryOp, { traits, seed, half }: Problem, device = dry(traits)): void {
  const rng = new Rng(seed, 'sizes');
  const from = ranges[rng.below(3)];
  const size = (least = 0) => Math.max(least, from[rng.below(from.length)]);
  const stored = (dtype: DType) =>
    dtype === 'f16' && !(traits.f16 && (half === 'all' || (half === 'some' && rng.below(2)))) ? 'f32' : dtype;
  const all = () => {
    const { inputs, f } = make(size);
    const xs = inputs.map(({ shape, dtype = 'f32', grad = /^f/.test(dtype) }) => {
      const x = empty(shape, stored(dtype));
      return grad && gradient !== false ? parameter(x) : x;
    });
    const y = f(...xs);
    if (gradient !== false) backward(sum(y));
  };
  try {
    on(device, () => tidy(() => withPrecision(precisionOf[half], all)));
  } catch (e) {
    if (!(half === 'some' && (e instanceof DTypeError || e instanceof ShapeError))) throw e;
  }
}

const problem = fc.record({
  traits: fc.constantFrom(...adapters),
  seed: fc.nat(0xffffff),
  half: fc.constantFrom('none', 'some', 'all', 'exact'),
} as const);

/** Primitives that no operation with a result asks for, and what has them. */
const elsewhere: Record<string, string> = {
  ...Object.fromEntries(
    ['sgd', 'adamw', 'lars', 'ema', 'restore', 'loss_scale', 'queue_write', 'bank_write', 'augment'].map((name) => [
      name,
      'writes in place: see below',
    ]),
  ),
  conv2d_stats: 'of convolutions with statistics, where sizes allow it',
  batch_norm_stats_tiles: 'follows those',
  ceiling_copy: 'measures an adapter',
  ceiling_fma: 'measures an adapter',
};

describe('without an adapter, on every kind of one', () => {
  it('every primitive is asked for by an operation of every-op.ts', () => {
    const names = new Set<string>();
    for (const traits of [usual[0], usual[3]]) {
      const device = dry(traits);
      const asked = vi.spyOn(device, 'run');
      for (const op of everyOp) dispatchAll(op, { traits, seed: 3, half: 'none' }, device);
      for (const [{ name }] of asked.mock.calls) names.add(name);
    }
    const missing = Object.keys(mirrors).filter((name) => !names.has(name) && !(name in elsewhere));
    expect(missing, 'add the operation to test/support/every-op.ts').toEqual([]);
  });

  it.each(everyOp.map((op) => [op.name, op] as const))(
    '%s: heuristics name what supports the problem, and every binding holds what its kernel declares',
    (_, op) =>
      fc.assert(
        fc.property(problem, (p) => dispatchAll(op, p)),
        { numRuns: 25 },
      ),
  );

  it.each(Object.entries(described))(
    '%s: every operation fits its workgroup memory, threads and bindings',
    (_, { traits, threads, binding }) => {
      const half = fc.constantFrom('none' as const, 'some' as const, 'all' as const, 'exact' as const);
      for (const op of everyOp)
        fc.assert(
          fc.property(fc.nat(0xffffff), half, (seed, h) =>
            dispatchAll(op, { traits, seed, half: h }, dry(traits, threads, binding)),
          ),
          { numRuns: 4 },
        );
    },
  );

  const variants = variantTables.flatMap((l) =>
    l.variants.map((variant) => [`${l.name}: ${variant.name}`, l, variant] as const),
  );
  it.each(variants)('%s, wherever it supports the problem', (_, l, variant) => {
    const tuned = new Proxy({}, { get: (_, key) => (String(key).startsWith(`${l.name} `) ? variant.name : undefined) });
    const ops = everyOp.filter(
      ({ name }) =>
        name.startsWith(l.name === 'matmul' ? 'linear' : l.name.replace(/_.*/, '')) ||
        (l.name === 'matmul' && name.startsWith('matmul')),
    );
    const launch = vi.spyOn(variant, 'launch');
    const able = usual.filter((traits) =>
      l.samples.some((s) => [s, inF16(s)].some(({ params }) => variant.supports(params as never, traits))),
    );
    const some = fc.record({
      traits: fc.constantFrom(...(able.length ? able : usual)).map((traits) => ({ ...traits, tuned })),
      seed: fc.nat(0xffffff),
      half: fc.constantFrom('none', 'some', 'all', 'exact'),
    } as const);
    fc.assert(
      fc.property(fc.constantFrom(...ops), some, (op, p) => dispatchAll(op, p)),
      { numRuns: 80 },
    );
    expect(launch).toHaveBeenCalled();
    launch.mockRestore();
  });

  it('updates in place: every binding holds what its kernel declares', () =>
    fc.assert(
      fc.property(problem, fc.constantFrom(...sizes), fc.constantFrom(...sizes.slice(1)), ({ traits }, length, width) =>
        on(dry(traits), () =>
          tidy(() => {
            const [one, pointer, index] = [zeros([1]), zeros([1], 'u32'), zeros([length], 'u32')];
            const [w, dw, v, m, rows, bank] = [
              [length],
              [length],
              [length],
              [length],
              [length, width],
              [width, width],
            ].map((shape) => zeros(shape));
            for (const guard of [undefined, one]) {
              sgd(w, dw, v, one, { momentum: 0.9, weightDecay: 0, guard });
              adamw(w, dw, { m, v, corrections: zeros([2]) }, one, { weightDecay: 0, guard });
              lars(w, dw, v, larsTable([{ start: 0, length, adapted: true }]), one, {
                momentum: 0.9,
                weightDecay: 0,
                guard,
              });
              queueWrite(bank, rows, pointer, guard);
              bankWrite(bank, rows, index, guard);
            }
            ema(w, dw, one);
            restore(w, dw, one);
            for (const statistics of [undefined, v]) lossScale(dw, zeros([4]), one, { statistics });
            const mean = [0, 0, 0];
            augment(zeros([1, width, 2, 3], 'u8'), index, zeros([length, AUGMENT_COLUMNS]), {
              size: width,
              mean,
              std: [1, 1, 1],
            });
          }),
        ),
      ),
      { numRuns: 25 },
    ));

  it('an adapter with tensor cores and subgroups of several sizes multiplies halves without them', () => {
    const traits: Traits = {
      software: false,
      parallelGroups: 512,
      f16: true,
      subgroup: 0,
      subgroupMatrix: true,
      workgroupMemory: 32768,
      tuned: {},
    };
    const l = variantTables.find(({ name }) => name === 'matmul')!;
    expect(
      l.heuristic(
        { batch: 1, M: 256, N: 256, K: 256, aRow: 256, aCol: 1, bRow: 256, bCol: 1, half: 1 } as never,
        traits,
      ),
    ).toBe('tiled 32×32');
  });
});
