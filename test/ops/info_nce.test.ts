import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GpuBackend } from '../../src/backend/gpu.js';
import { Rng } from '../../src/core/rng.js';
import { add, div, mul, sub } from '../../src/ops/binary.js';
import { infoNce, infoNcePrimitive } from '../../src/ops/info_nce.js';
import { matmul } from '../../src/ops/matmul.js';
import { max, mean, sum } from '../../src/ops/reduce.js';
import { concat, slice } from '../../src/ops/strided.js';
import { exp, log } from '../../src/ops/unary.js';
import { backward } from '../../src/tensor/autograd.js';
import { run } from '../../src/tensor/run.js';
import { empty, parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, hardware, on, reference64 } from '../support/devices.js';
import { assertClose, checkOp } from '../support/op.js';

const cases = fc.record({
  N: fc.constantFrom(1, 2, 3, 5, 15, 16, 17, 33),
  K: fc.constantFrom(0, 1, 2, 7, 63, 64, 65, 130),
  D: fc.constantFrom(1, 2, 3, 15, 16, 17),
  T: fc.constantFrom(0.07, 0.2, 1),
});

const normal = (seed: number, rows: number, columns: number, scale = 1) => {
  const rng = new Rng(seed);
  return Float32Array.from({ length: rows * columns }, () => scale * rng.normal());
};

/** Rows of length 1, as MoCo's keys and queries. */
const unitRows = (seed: number, rows: number, columns: number) => {
  const values = normal(seed, rows, columns);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * columns, (r + 1) * columns);
    const length = Math.hypot(...row);
    row.forEach((v, i) => (row[i] = v / length));
  }
  return values;
};

/** The same loss from separate operations, its logits in memory. */
function composed(q: Tensor, positive: Tensor, queue: Tensor, T: number): Tensor {
  const logits = div(concat([sum(mul(q, positive), 1, true), matmul(q, queue, { transposeB: true })], 1), T);
  const top = max(logits.detach(), 1, true);
  const lse = add(log(sum(exp(sub(logits, top)), 1, true)), top);
  return mean(sub(lse, slice(logits, 1, 0, 1)));
}

/** Loss, accuracies and dq on the GPU. */
async function evaluateOn(
  f: typeof composed | ((...a: Parameters<typeof composed>) => ReturnType<typeof infoNce>),
  q: Float32Array,
  positive: Float32Array,
  queue: Float32Array,
  D: number,
  T: number,
  open = gpu,
) {
  const read = on(await open(), () => {
    const leaf = parameter(tensor(q, [q.length / D, D]));
    const made = f(leaf, tensor(positive, [positive.length / D, D]), tensor(queue, [queue.length / D, D]), T);
    const { loss, ...accuracy } = 'loss' in made ? made : { loss: made };
    backward(mul(loss, 3));
    return [loss, leaf.grad!, ...Object.values(accuracy)].map((x) => x.data());
  });
  const [loss, dq, top1, top5] = await Promise.all(read);
  return { loss: loss[0], dq, top1: top1?.[0], top5: top5?.[0] };
}

/** A graphics card that takes products at any size, by the kernel that compiles soonest here. */
const byProduct = async () => {
  const { gpu: g } = await hardware();
  const chosen = (key: string) => (/^info_nce/.test(key) ? 'product' : /^matmul/.test(key) ? 'direct' : undefined);
  const tuned = new Proxy({}, { get: (_, key) => chosen(String(key)) });
  return new GpuBackend({ ...g, traits: { ...g.traits, tuned } });
};

describe('infoNce against its mirror', () => {
  it('GPU = mirror, gradients', () =>
    checkOp(
      cases,
      ({ N, K, D, T }) => ({
        inputs: [{ shape: [N, D] }, { shape: [N, D], grad: false }, { shape: [K, D], grad: false }],
        f: (q, positive, queue) => infoNce(q, positive, queue, T).loss,
      }),
      {},
      20,
    ));
});

describe.each([
  ['as it is', gpu],
  ['by products', byProduct],
])('infoNce %s', (_, device) => {
  const evaluate = (...a: Parameters<typeof evaluateOn>) => evaluateOn(a[0], a[1], a[2], a[3], a[4], a[5], device);

  it('equals the composition of matmul, concat and softmax, gradient and all', async () => {
    const [N, K, D] = [19, 70, 12];
    const [q, positive, queue] = [unitRows(1, N, D), unitRows(2, N, D), unitRows(3, K, D)];
    const want = await evaluate(composed, q, positive, queue, D, 0.2);
    const got = await evaluate(infoNce, q, positive, queue, D, 0.2);
    assertClose('loss', [got.loss], [want.loss]);
    assertClose('dq', got.dq, want.dq);
  });

  it('counts the positives that rank first and among five', async () => {
    // q = 1, so that a key's value is its score: rank 0, 1 (a tie counts against the positive), 5 and 10
    const queue = Float32Array.from({ length: 70 }, (_, i) => (i % 7 === 0 ? i / 7 : -i));
    const { top1, top5 } = await evaluate(
      infoNce,
      new Float32Array(4).fill(1),
      Float32Array.of(9.5, 9, 5, 0),
      queue,
      1,
      1,
    );
    expect({ top1, top5 }).toEqual({ top1: 0.25, top5: 0.5 });
  });

  it('a positive that stands in the queue too ties with itself', async () => {
    const keys = unitRows(5, 65, 17);
    const { top1, top5 } = await evaluate(infoNce, keys.slice(0, 340), keys.slice(0, 340), keys, 17, 0.07);
    expect([top1, top5]).toEqual([0, 1]);
  });

  it.each([
    ['positive', 0],
    ['query', 1],
    ['negative', 2],
  ])('NaN in the %s counts as wrong, among five too', async (_, where) => {
    const inputs = [unitRows(1, 1, 8), unitRows(1, 1, 8), unitRows(3, 2, 8)];
    inputs[where][3] = NaN;
    const { loss, top1, top5 } = await evaluate(infoNce, inputs[1], inputs[0], inputs[2], 8, 0.2);
    expect({ finite: Number.isFinite(loss), top1, top5 }).toEqual({ finite: false, top1: 0, top5: 0 });
    const rank = await on(reference64, () => {
      const outputs = [empty([1]), empty([1]), empty([1, 8])];
      run(
        infoNcePrimitive,
        [tensor(inputs[1], [1, 8]), tensor(inputs[0], [1, 8]), tensor(inputs[2], [2, 8])],
        outputs,
        { N: 1, K: 2, D: 8, temperature: 0.2 },
      );
      return outputs[1].data();
    });
    expect(rank[0]).toBe(2 ** 32);
  });

  it('is ln(K + 1) with a zero gradient when all keys are equal', async () => {
    const key = unitRows(1, 1, 8);
    const repeated = (n: number) => Float32Array.from({ length: n * 8 }, (_, i) => key[i % 8]);
    const { loss, dq, top1 } = await evaluate(infoNce, unitRows(2, 5, 8), repeated(5), repeated(300), 8, 0.07);
    assertClose('loss', [loss], [Math.log(301)]);
    // 3 / T times sums of 301 terms that cancel; by products "dq[2]: got 0.0000187, expected 0 (allowed ±0.00001)"
    assertClose('dq', dq, new Float32Array(40), { absolute: 3e-5 });
    expect(top1).toBe(0);
  });

  it('does not depend on the order of the queue', async () => {
    const [N, K, D] = [6, 130, 16];
    const [q, positive, queue] = [unitRows(1, N, D), unitRows(2, N, D), unitRows(3, K, D)];
    const order = new Rng(4).permutation(K);
    const shuffled = Float32Array.from(queue, (_, i) => queue[order[Math.floor(i / D)] * D + (i % D)]);
    const [a, b] = [
      await evaluate(infoNce, q, positive, queue, D, 0.1),
      await evaluate(infoNce, q, positive, shuffled, D, 0.1),
    ];
    assertClose('loss', [b.loss], [a.loss]);
    assertClose('dq', b.dq, a.dq);
    expect([b.top1, b.top5]).toEqual([a.top1, a.top5]);
  });

  it('stays exact where exponentials overflow, and where the loss is far below f32 resolution of 1', async () => {
    const D = 4;
    const axis = (sign: number) => Float32Array.of(sign, 0, 0, 0);
    const right = await evaluate(infoNce, axis(1), axis(1), Float32Array.of(0, 1, 0, 0, 0.8, 0.6, 0, 0), D, 0.01);
    assertClose('right', [right.loss], [Math.exp(-100) + Math.exp(-20)], { relative: 1e-4, absolute: 0 });
    const wrong = await evaluate(infoNce, axis(1), axis(-1), Float32Array.of(1, 0, 0, 0), D, 0.01);
    assertClose('wrong', [wrong.loss], [200]);
    assertClose('wrong dq', wrong.dq, [600, 0, 0, 0]);
    const huge = await evaluate(infoNce, normal(1, 3, D, 100), normal(2, 3, D, 100), normal(3, 65, D, 100), D, 0.01);
    expect([huge.loss, ...huge.dq].every(Number.isFinite)).toBe(true);
  });
});

describe('infoNce at its edges', () => {
  it('is 0 with nothing to learn when there are no negatives', async () => {
    const { loss, dq, top1 } = await evaluateOn(
      infoNce,
      unitRows(2, 5, 8),
      unitRows(3, 5, 8),
      new Float32Array(0),
      8,
      0.07,
    );
    expect({ loss, top1 }).toEqual({ loss: 0, top1: 1 });
    expect(Array.from(dq, Math.abs)).toEqual(new Array(40).fill(0));
  });

  it('names what does not fit', async () => {
    on(await gpu(), () => {
      const [q, queue] = [tensor([1, 2], [1, 2]), tensor([1, 2, 3, 4], [2, 2])];
      expect(() => infoNce(q, queue, queue, 1)).toThrow(
        'infoNce: q and its positives must be [N, D] and the queue [K, D], N and D above 0; got [1, 2], [2, ' +
          '2] and [2, 2]',
      );
      expect(() => infoNce(q, q, tensor([1, 2, 3], [1, 3]), 1)).toThrow('got [1, 2], [1, 2] and [1, 3]');
      expect(() => infoNce(q, q, queue, 0)).toThrow('infoNce: the temperature must be a number above 0; got 0');
    });
  });
});
