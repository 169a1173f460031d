import { afterEach, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { compile } from '../../src/compile/compile.js';
import { chromeTrace, profile } from '../../src/compile/profile.js';
import type { Dispatch } from '../../src/gpu/recording.js';
import { attention } from '../../src/ops/attention.js';
import { mul } from '../../src/ops/binary.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { infoNce } from '../../src/ops/info_nce.js';
import { matmul } from '../../src/ops/matmul.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { accumulate } from '../../src/tensor/accumulate.js';
import { backward } from '../../src/tensor/autograd.js';
import { full } from '../../src/tensor/fill.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';
import { record } from '../support/record.js';

const flopsOf = (dispatches: readonly Dispatch[], op: string) =>
  dispatches.reduce((n, d) => n + (d.op === op ? (d.flops ?? 0) : 0), 0);

/** The same device, said to lack timestamps. */
const unstamped = async () => {
  const { gpu: g } = await gpu();
  const device = new Proxy(g.device, {
    get: (of, key) =>
      key === 'features'
        ? new Set()
        : typeof of[key as never] === 'function'
          ? (of[key as never] as () => unknown).bind(of)
          : of[key as never],
  });
  return new GpuBackend({ ...g, device });
};

describe('profile', () => {
  afterEach(() => void useBackend(undefined));

  it('tells time, bytes and operations of every dispatch, and leaves the results as they were', async () => {
    for (const device of [await gpu(), await unstamped()]) {
      useBackend(device);
      const total = on(device, () => state(full([3], 0)));
      let made!: Tensor;
      const work = on(device, () =>
        compile((x: Tensor) => {
          accumulate(total, x);
          made = mul(x, total);
          return matmul(reshape(made, [3, 1]), reshape(x, [1, 3]));
        }),
      );
      const records = await profile(work, [Float32Array.of(1, 2, 3)], 2);
      expect(records.map((r) => r.op)).toEqual(['accumulate', 'binary', 'matmul']);
      expect(records[2].flops).toBe(2 * 3 * 3);
      expect(records.map((r) => r.bytes)).toEqual([32, 48, 16 + 16 + 48]);
      for (const r of records) expect(r.microseconds).toBeGreaterThanOrEqual(0);
      expect(records.some((r) => r.microseconds > 0)).toBe(true);
      expect(records[2].start).toBeGreaterThanOrEqual(records[0].start);
      expect(Array.from(await total.data())).toEqual([4, 8, 12]); // two calls to record, two to profile
      const y = on(device, () => work(Float32Array.of(1, 2, 3)));
      expect(Array.from(await y.data()).slice(0, 3)).toEqual([5, 10, 15]);
    }
  });

  it('counts operations of products, convolutions, attention and the contrastive loss, both ways', async () => {
    const device = await gpu();
    const values = (shape: number[]) => parameter(full(shape, 0.1));
    const [x, w, q, qkv] = on(device, () => [
      values([2, 6, 6, 3]),
      values([5, 3, 3, 3]),
      values([4, 8]),
      values([2, 7, 8]),
    ]);
    const { recording } = on(device, () =>
      record(device, [], () =>
        tidy(() => {
          const k = full([10, 8], 0.1);
          backward(sum(conv2d(x, w, { stride: 2, padding: 1 })));
          backward(infoNce(q, tensor(new Float32Array(32), [4, 8]), k, 0.2).loss);
          backward(sum(attention(qkv, qkv, qkv, { heads: 2 })));
          return [];
        }),
      ),
    );
    const convolution = 2 * 2 * 3 * 3 * 5 * 3 * 3 * 3;
    for (const op of ['conv2d', 'conv2d_dx', 'conv2d_dw'])
      expect(flopsOf(recording.dispatches, op), op).toBe(convolution);
    expect(flopsOf(recording.dispatches, 'info_nce')).toBe(4 * 4 * 10 * 8);
    const product = 2 * 2 * 2 * 7 * 7 * 4;
    expect(flopsOf(recording.dispatches, 'attention')).toBe(2 * product);
    expect(flopsOf(recording.dispatches, 'attention_grad')).toBe(5 * product); // scores, dP, dq, dk and dv, once each
  });

  it('is for GPUs', async () => {
    const work = compile((x: Tensor) => mul(x, 2));
    await expect(on(reference, () => work.profile(1))).rejects.toThrow(
      'profile: dispatches must be timed on a GPU, outside of compiled functions; got reference (f32). ' +
        'Open one with device().',
    );
  });

  it('writes a trace of complete events', () => {
    const record = { op: 'matmul', kernel: 'matmul_wide', start: 10, microseconds: 5, bytes: 48, flops: 18, groups: 1 };
    expect(JSON.parse(chromeTrace([record]))).toEqual({
      displayTimeUnit: 'ms',
      traceEvents: [
        {
          name: 'matmul_wide',
          cat: 'matmul',
          ph: 'X',
          pid: 1,
          tid: 1,
          ts: 10,
          dur: 5,
          args: { op: 'matmul', bytes: 48, flops: 18, groups: 1 },
        },
      ],
    });
  });
});
