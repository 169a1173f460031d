import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { Choice } from '../../src/backend/variants.js';
import { compile } from '../../src/compile/compile.js';
import type { TypedArray } from '../../src/core/dtype.js';
import { Rng } from '../../src/core/rng.js';
import { BatchNorm } from '../../src/nn/batch-norm.js';
import { convBn } from '../../src/nn/conv-bn.js';
import { Conv2d } from '../../src/nn/conv2d.js';
import { ResNet, type ResNetOptions } from '../../src/nn/resnet.js';
import { type BatchNormOptions, batchNorm, type TileStatistics } from '../../src/ops/batch_norm.js';
import { mul } from '../../src/ops/binary.js';
import { conv2d, type StatisticsRequest } from '../../src/ops/conv2d.js';
import { conv2dVariants } from '../../src/ops/conv2d_variants.js';
import { sum } from '../../src/ops/reduce.js';
import { tileStats } from '../../src/reference/tile_stats.js';
import { backward } from '../../src/tensor/autograd.js';
import { empty, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, hardware, on, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';
import { record } from '../support/record.js';
import { convolution } from '../support/variant-cases.js';

/**
 * A graphics card's kernels where statistics are taken, this adapter's for gradients and products, which compile
 * sooner.
 */
const card = async (): Promise<GpuBackend> => {
  const { gpu: device } = await hardware();
  const tuned = new Proxy({}, { get: (_, key) => (/^conv2d_d|^matmul/.test(String(key)) ? 'subgroup' : undefined) });
  return new GpuBackend({ ...device, traits: { ...device.traits, tuned } });
};
const normal = (shape: number[], seed: number, offset = 0): Float32Array => {
  const rng = new Rng(seed, 'stats');
  return Float32Array.from({ length: numel(shape) }, () => offset + rng.normal());
};
const numel = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
const values = (...tensors: Tensor[]) => Promise.all(tensors.map(async (t) => Float64Array.from(await t.data())));

/** What tiles of `tile` rows of y have, in double precision. */
function exactly(y: Float64Array, columns: number, tile: number): [Float64Array, Float64Array] {
  const tiles = Math.ceil(y.length / columns / tile);
  const [mean, m2] = [new Float64Array(tiles * columns), new Float64Array(tiles * columns)];
  tileStats([y, mean, m2] as unknown as TypedArray[], { C: columns, tile });
  return [mean, m2];
}

describe('statistics in the epilogue of', () => {
  it('a convolution that is a product is the product’s, unless the sum over channels is split', async () => {
    const traits = { ...(await gpu()).traits, software: false };
    const of = (parallelGroups: number, channels: number) => {
      const p = convolution(2, [16, 16], [channels, 128], [1, 1]);
      const made = new Choice(conv2dVariants, p, { ...traits, parallelGroups }).statistics();
      return made && [made.launch.kernel.file, made.rows];
    };
    expect([of(4, 64), of(16, 64), of(64, 64), of(512, 512)]).toEqual([
      ['matmul_tiled', 128],
      ['matmul_tiled', 128],
      ['matmul_tiled', 32],
      undefined,
    ]);
  });
});

/** A convolution with tiles for its statistics, and its batch norm. */
const cases = fc
  .record({
    N: fc.constantFrom(1, 2, 8),
    side: fc.constantFrom(8, 13, 16),
    C: fc.constantFrom(3, 16, 20),
    O: fc.constantFrom(16, 36, 72),
    kind: fc.constantFrom<[number, number][]>([1, 2], [3, 1], [3, 2]),
    splits: fc.constantFrom(1, 2, 8),
    offset: fc.constantFrom(0, 100),
  })
  .filter(({ N, splits }) => N % splits === 0);

describe('batch norm after a convolution that took the statistics', () => {
  it.each([
    [6, 7, 3, 1, 4],
    [4, 24, 5, 2, 8],
    [8, 4, 2, 8, 4],
    [2, 300, 1, 1, 1],
    [2, 16, 4, 1, 64],
  ])(
    'merges tiles, %i samples of %i × %i in %i splits, tiles of %i: GPU = mirror = what reads y',
    async (N, L, C, splits, rows) => {
      const y = normal([N, L, C], L, 1000);
      const [mean, m2] = exactly(Float64Array.from(y), C, rows);
      const norm = (backend: Backend, tiled: boolean) =>
        on(backend, () =>
          tidy(() => {
            const statistics = tiled
              ? { rows, mean: tensor([...mean], [mean.length / C, C]), m2: tensor([...m2], [mean.length / C, C]) }
              : undefined;
            const running = { runningMean: tensor(normal([C], 3)), runningVar: tensor(normal([C], 4, 9)) };
            return values(
              batchNorm(tensor(y, [N, L, C]), { ...running, train: true, splits, statistics }),
              ...Object.values(running),
            );
          }),
        );
      const [found, mirror, whole] = [
        await norm(await gpu(), true),
        await norm(reference64, true),
        await norm(reference64, false),
      ];
      for (const i of [0, 1, 2]) {
        assertClose('mirror', mirror[i], whole[i], { relative: 1e-9 });
        assertClose(
          'GPU',
          found[i],
          whole[i],
          i === 0 ? { relative: 0, absolute: 2 ** -22 * 1000 } : { relative: 1e-5 },
        ); // y: the mean is rounded to f32
      }
    },
  );

  it('has the mean and variance of every split of y; where a tile would hold two samples it reads y', async () => {
    const device = await hardware();
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(99), async ({ N, side, C, O, kind: [R, stride], splits, offset }, seed) => {
        const norm = (y: Tensor, more: Partial<BatchNormOptions>) => {
          const running = { runningMean: tensor(normal([O], 3)), runningVar: tensor(normal([O], 4, 9)) };
          return [batchNorm(y, { ...running, train: true, splits, ...more }), ...Object.values(running)];
        };
        const request: StatisticsRequest = { splits };
        const [y, ...got] = await on(device, () =>
          tidy(() => {
            const [x, w] = [
              [N, side, side, C],
              [O, R, R, C],
            ].map((shape, i) => tensor(normal(shape, seed + i, i ? 0 : offset), shape));
            const y = conv2d(x, w, { stride, padding: R >> 1 }, request);
            return values(y, ...norm(y, { statistics: request.tiles }));
          }),
        );
        const L = y.length / N / O;
        const p = convolution(N, [side, side], [C, O], [R, R], {
          strideH: stride,
          strideW: stride,
          padH: R >> 1,
          padW: R >> 1,
        });
        const { rows } = new Choice(conv2dVariants, p, device.traits).statistics()!;
        expect(request.tiles?.rows, `${L} pixels a sample`).toBe(splits === 1 || L % rows === 0 ? rows : undefined);
        seen.add(`${splits > 1 ? 'splits' : 'whole'} ${request.tiles ? 'fused' : 'apart'}`);
        const want = await on(reference64, () => tidy(() => values(...norm(tensor(y, [N, L, O]), {}))));
        got.forEach((v, i) => assertClose(['y', 'running mean', 'running variance'][i], v, want[i]));
      }),
      { numRuns: 15 },
    );
    expect([...seen].sort()).toEqual(['splits apart', 'splits fused', 'whole fused']);
  });

  it('describes y as it is stored, halves where halves are', async () => {
    const device = await hardware();
    if (!device.f16) return;
    const shapes = [
      [2, 9, 8, 16],
      [20, 3, 3, 16],
    ];
    const tilesOf = async (precision: 'f16' | 'f32') => {
      const request: StatisticsRequest = { splits: 1 };
      const found = await on(device, () =>
        tidy(() => {
          const [x, w] = shapes.map((shape, i) => tensor(normal(shape, i, i ? 0 : 30), shape));
          const y = conv2d(x, w, { padding: 1, precision }, request);
          expect(y.dtype).toBe(precision);
          return values(y, request.tiles!.mean, request.tiles!.m2);
        }),
      );
      return { found, want: exactly(found[0], 20, request.tiles!.rows) };
    };
    const [half, float] = [await tilesOf('f16'), await tilesOf('f32')];
    assertClose('means', half.found[1], half.want[0], { relative: 1e-6 });
    assertClose('squares', half.found[2], half.want[1], { relative: 3e-6 });
    expect(() => assertClose('rounding shows', float.found[2], half.want[1], { relative: 3e-6 })).toThrow();
  });

  it('refuses statistics of other shapes, and tiles across samples of two splits', async () => {
    on(await gpu(), () => {
      const norm = (statistics: TileStatistics, splits: number) =>
        batchNorm(empty([4, 5, 3]), {
          runningMean: empty([3]),
          runningVar: empty([3]),
          train: true,
          splits,
          statistics,
        });
      const tiles = (rows: number, n: number) => ({ rows, mean: empty([n, 3]), m2: empty([n, 3]) });
      expect(() => norm(tiles(8, 2), 1)).toThrow('batchNorm: statistics must have shape [3, 3]; got [2, 3]');
      expect(() => norm(tiles(8, 3), 2)).toThrow(
        'batchNorm: with splits every tile must lie in one sample; got tiles of 8 rows, samples of 5, ' +
          '2 splits. Leave out statistics.',
      );
    });
  });
});

/** Kernels of what a model does with pictures, in order. */
function kernelsOf(device: GpuBackend, model: () => { call: (x: Tensor) => Tensor }): string[] {
  return on(device, () => {
    const [made, x] = [model(), tensor(normal(pictures, 5), pictures)];
    const { recording } = record(device, [], () => (tidy(() => void made.call(x)), []));
    return recording.dispatches.map(({ kernel }) => kernel.name);
  });
}

const pictures = [4, 8, 8, 3];
const statistics = (kernels: string[]) =>
  kernels.filter((k) => /STATS1|batch_norm_stats/.test(k)).map((k) => k.replace(/_HEIGHT.*STATS1.*/, '_STATS1'));

describe('a ResNet', () => {
  const options: ResNetOptions = { blocks: [1, 1], widths: [16, 32], stem: 'cifar', head: 'linear', dim: 5, seed: 4 };
  it('takes the pass over y that made its statistics no more while it trains', async () => {
    const [device, here] = [await hardware(), await gpu()];
    const merged = ['batch_norm_stats_tiles', 'batch_norm_stats_end'];
    expect(statistics(kernelsOf(device, () => new ResNet(options)))).toEqual([
      'conv2d_small_channel_tiled_STATS1',
      ...merged,
      ...Array.from({ length: 5 }, () => ['conv2d_tiled_STATS1', ...merged]).flat(),
    ]);
    expect(statistics(kernelsOf(device, () => new ResNet(options).eval()))).toEqual([]);
    // software
    expect(statistics(kernelsOf(here, () => new ResNet(options))).filter((k) => /STATS1|tiles/.test(k))).toEqual([]);
  });

  it('a convolution with a bias leaves the statistics to the batch norm', async () => {
    const kernels = kernelsOf(await hardware(), () => {
      const [conv, bn] = [new Conv2d(3, 16, 3, { bias: true, seed: new Rng(1) }), new BatchNorm(16)];
      return { call: (x) => convBn(conv, bn, x) };
    });
    expect(statistics(kernels)).toEqual(['batch_norm_stats_vec4', 'batch_norm_stats_end']);
  });

  it.each<[string, ResNetOptions]>([
    ['basic blocks, of which the first has splits', { ...options, splits: 2 }],
    ['bottlenecks', { ...options, widths: [16, 16], bottleneck: true }],
  ])('%s: output, statistics and gradients equal the mirror’s in f64, replayed to the bit', async (_, o) => {
    const trained = async (backend: Backend, replayed: boolean) =>
      on(backend, () => {
        const model = new ResNet(o);
        const once = (x: Tensor) => {
          const y = model.call(x);
          backward(sum(mul(y, tensor(normal([...y.shape], 6), y.shape))));
          return [
            y,
            ...[...model.parameters().values()].map((p) => p.grad!),
            ...[...model.entries()].flatMap((e) => ('tensor' in e && e.name.includes('running') ? [e.tensor] : [])),
          ];
        };
        const x = () => tensor(normal(pictures, 5), pictures);
        return values(...(replayed ? compile(once)(x()) : tidy(() => once(x()))));
      });
    const device = await card();
    const [got, again, want] = [
      await trained(device, false),
      await trained(device, true),
      await trained(reference64, false),
    ];
    got.forEach((v, i) => assertClose(`tensor ${i}`, v, want[i], { relative: 5e-5, absolute: 1e-5 }));
    expect(again).toEqual(got);
  });
});
