import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { Rng } from '../../src/core/rng.js';
import { openGpu } from '../../src/gpu/device.js';
import { MoCo, type MoCoOptions } from '../../src/moco/moco.js';
import { Module } from '../../src/nn/module.js';
import { ResNet } from '../../src/nn/resnet.js';
import { matmul } from '../../src/ops/matmul.js';
import { reshape } from '../../src/ops/reshape.js';
import type { FlatParameters } from '../../src/optim/flat.js';
import { SGD } from '../../src/optim/sgd.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

const SEED = 20;
const [N, SIDE] = [8, 8];
const sgd = (momentum: number, weightDecay: number) => (p: FlatParameters) => new SGD(p, { momentum, weightDecay });
const options: MoCoOptions = { K: 13, T: 0.2, dim: 8, optimizer: sgd(0.9, 1e-3), seed: SEED };
const resnet = (splits: number) => () =>
  new ResNet({ blocks: [1, 1], widths: [4, 8], stem: 'cifar', head: 'mlp', dim: 8, splits, seed: SEED });

interface Batch {
  xQ: Float32Array;
  xK: Float32Array;
  /** order[to] = from: the place in xK of the key of query `from` is `to`. */
  order: Uint32Array;
}

const PIXELS = SIDE * SIDE * 3;
const picture = (rng: Rng) => Float32Array.from({ length: N * PIXELS }, () => rng.normal());
const permuted = (x: Float32Array, order: ArrayLike<number>): Float32Array => {
  const y = new Float32Array(x.length);
  Array.from(order).forEach((from, to) => y.set(x.subarray(from * PIXELS, (from + 1) * PIXELS), to * PIXELS));
  return y;
};
const inverse = (order: ArrayLike<number>): Uint32Array => {
  const back = new Uint32Array(order.length);
  Array.from(order).forEach((from, to) => (back[from] = to));
  return back;
};

/** Random pictures; the keys' view is the queries' with noise, in a random order. */
function drawBatch(index: number): Batch {
  const rng = new Rng(SEED, 'batch', index);
  const xQ = picture(rng);
  const other = picture(rng);
  const order = rng.permutation(N);
  return {
    xQ,
    xK: permuted(
      xQ.map((v, i) => v + 0.3 * other[i]),
      order,
    ),
    order,
  };
}

const asPart = ({ xQ, xK, order }: Batch) => {
  const back = inverse(order); // the method shuffles by itself
  return {
    x1: tensor(xQ, [N, SIDE, SIDE, 3]),
    x2: tensor(permuted(xK, back), [N, SIDE, SIDE, 3]),
    index: tensor(back),
    shuffle: tensor(Uint32Array.from(order)),
    unshuffle: tensor(back),
  };
};

function build(backend: Backend, splits = 2, changed: Partial<MoCoOptions> = {}): MoCo {
  return on(backend, () => new MoCo(resnet(splits), { ...options, ...changed }));
}

/** One step; [loss, top1, top5]. */
const advance = (backend: Backend, moco: MoCo, batch: Batch, { lr = 0.05, m = 0.9 } = {}): Promise<number[]> =>
  on(backend, () => tidy(() => moco.step([asPart(batch)], { lr: tensor([lr]), m: tensor([m]) }).data())).then((v) =>
    Array.from(v),
  );

const valuesOf = async (tensors: Iterable<[string, Tensor]>): Promise<Map<string, ArrayLike<number>>> =>
  new Map(await Promise.all([...tensors].map(async ([name, t]) => [name, (await t.data()).slice()] as const)));

function* tensorsOf(prefix: string, model: Module): Generator<[string, Tensor]> {
  for (const e of model.entries(prefix)) if ('tensor' in e) yield [e.name, e.tensor];
}

/** Everything that a step changes. */
const stateOf = (moco: MoCo) =>
  valuesOf([
    ...tensorsOf('encoder_q.', moco.encoderQ),
    ...tensorsOf('encoder_k.', moco.encoderK),
    ['queue', moco.queue],
    ['queue_ptr', moco.pointer],
    ['velocity', (moco.optimizer as SGD).velocity],
  ]);

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [error, scale] = [0, 1e-3];
  for (let i = 0; i < b.length; i++)
    [error, scale] = [Math.max(error, Math.abs(a[i] - b[i])), Math.max(scale, Math.abs(b[i]))];
  return error / scale;
};

describe('MoCo', () => {
  it('20 steps on the GPU equal 20 steps on the reference backend in f64', async () => {
    const device = await gpu();
    const [got, exact] = [build(device), build(reference64)];
    const errors: string[] = [];
    let fell = 0;
    for (let t = 0; t < 20; t++) {
      const [a, b] = [await advance(device, got, drawBatch(t)), await advance(reference64, exact, drawBatch(t))];
      // f32 rounding lets the two runs part slowly; measured on SwiftShader: 6e-7 after 1 step, 3e-6 after 20
      const allowed = 1e-5 * 1.1 ** t;
      assertClose(`step ${t}: loss, top1, top5`, a, b, { relative: allowed });
      const [x, y] = [await stateOf(got), await stateOf(exact)];
      expect([...x.keys()]).toEqual([...y.keys()]);
      let most = ['', 0] as [string, number];
      for (const [name, want] of y) {
        assertClose(`step ${t}: ${name}`, x.get(name)!, want, { relative: allowed });
        const error = worst(x.get(name)!, want);
        if (error > most[1]) most = [name, error];
      }
      expect(x.get('queue_ptr')![0]).toBe(((t + 1) * N) % 13);
      errors.push(most[1].toExponential(1));
      if (t === 0) fell = b[0];
      if (t === 19)
        console.log(
          `MoCo, seed ${SEED}: loss ${fell.toFixed(3)} -> ${b[0].toFixed(3)}; ` +
            `largest relative error after each step: ${errors.join(' ')}; at last in ${most[0]}`,
        );
    }
    for (const model of [got.encoderQ, got.encoderK, exact.encoderQ])
      for (const e of model.entries()) if ('counter' in e) expect(e.counter.value).toBe(20);
  });

  it('moves the key encoder to m θ_k + (1 - m) θ_q, with the θ_q from before the SGD step', async () => {
    const device = await gpu();
    const runs: [Backend, number][] = [
      [device, 2e-7],
      [reference64, 1e-15],
    ];
    for (const [backend, relative] of runs) {
      const moco = build(backend);
      for (let t = 0; t < 3; t++) await advance(backend, moco, drawBatch(t));
      const before = await stateOf(moco);
      await advance(backend, moco, drawBatch(3));
      const after = await stateOf(moco);
      const m = backend === device ? Math.fround(0.9) : 0.9;
      for (const name of moco.encoderQ.parameters().keys()) {
        const [q, k] = [before.get(`encoder_q.${name}`)!, before.get(`encoder_k.${name}`)!];
        expect(worst(q, k), `θ_q and θ_k differ: ${name}`).toBeGreaterThan(1e-4);
        expect(worst(after.get(`encoder_q.${name}`)!, q), `the step moves θ_q: ${name}`).toBeGreaterThan(1e-4);
        assertClose(
          name,
          after.get(`encoder_k.${name}`)!,
          Array.from(k, (v, i) => m * v + (1 - m) * q[i]),
          { relative, absolute: 0 },
        );
      }
    }
  });

  it('sends no gradient to the key encoder: with m = 1 its parameters keep every bit', async () => {
    const device = await gpu();
    const moco = build(device);
    const names = [...moco.encoderQ.parameters().keys()];
    const before = await stateOf(moco);
    for (let t = 0; t < 4; t++) await advance(device, moco, drawBatch(t), { m: 1 });
    const after = await stateOf(moco);
    expect(names.length).toBe(22);
    for (const name of names) {
      expect(after.get(`encoder_k.${name}`)).toEqual(before.get(`encoder_k.${name}`));
      expect(after.get(`encoder_q.${name}`)).not.toEqual(before.get(`encoder_q.${name}`));
    }
    for (const [name, t] of tensorsOf('', moco.encoderK))
      expect([name, t.requiresGrad, t.grad, t.node]).toEqual([name, false, undefined, undefined]);
    expect(moco.encoderK.parameters().size).toBe(0);
    // it does keep statistics of its own
    expect(after.get('encoder_k.bn1.running_mean')).not.toEqual(before.get('encoder_k.bn1.running_mean'));
  });

  it('starts with encoder_k = encoder_q, random keys of length 1, and the pointer at 0', async () => {
    const state = await stateOf(build(await gpu()));
    for (const [name, values] of state)
      if (name.startsWith('encoder_q.')) expect(values).toEqual(state.get(name.replace('_q.', '_k.')));
    const queue = Array.from(state.get('queue')!);
    for (let i = 0; i < 13; i++) expect(Math.hypot(...queue.slice(8 * i, 8 * i + 8))).toBeCloseTo(1, 6);
    expect(new Set(queue).size).toBe(13 * 8);
    expect(state.get('queue_ptr')![0]).toBe(0);
  });

  it('names a queue that cannot work', () => {
    expect(() => build(reference64, 2, { K: 0 })).toThrow('MoCo: K must be a whole number above 0; got 0');
  });
});

/** [N, SIDE, SIDE, 3] -> x W, an encoder to work out by hand. */
class Plain extends Module {
  readonly weight: Tensor;

  constructor() {
    super();
    const rng = new Rng(SEED, 'plain');
    this.weight = parameter(
      tensor(
        Float32Array.from({ length: PIXELS * 8 }, () => 0.1 * rng.normal()),
        [PIXELS, 8],
      ),
    );
  }

  forward(x: Tensor): Tensor {
    return matmul(reshape(x, [N, PIXELS]), this.weight);
  }
}

/** Rows of x W, each of length 1, in plain JavaScript. */
function encode(x: ArrayLike<number>, W: ArrayLike<number>): number[][] {
  return Array.from({ length: N }, (_, n) => {
    const y = new Array<number>(8).fill(0);
    for (let p = 0; p < PIXELS; p++) for (let d = 0; d < 8; d++) y[d] += x[n * PIXELS + p] * W[p * 8 + d];
    const length = Math.hypot(...y);
    return y.map((v) => v / length);
  });
}

const dot = (a: number[], b: number[]) => a.reduce((s, v, i) => s + v * b[i], 0);

/** Mean of -ln softmax([q·k⁺, q·queue] / T)[0], by the definition. */
function lossOf(q: number[][], k: number[][], queue: number[][], T: number): number {
  return q.reduce((total, qi, i) => {
    const scores = [k[i], ...queue].map((key) => Math.exp(dot(qi, key) / T));
    return total - Math.log(scores[0] / scores.reduce((a, b) => a + b)) / q.length;
  }, 0);
}

describe('a MoCo step, by hand', () => {
  it('takes the negatives from before the enqueue, then replaces the oldest keys, wrapping round', async () => {
    const device = await gpu();
    const moco = on(device, () => new MoCo(() => new Plain(), options));
    for (let t = 0; t < 4; t++) {
      const batch = drawBatch(t);
      const before = await stateOf(moco);
      const [loss] = await advance(device, moco, batch);
      const after = await stateOf(moco);
      const rows = (state: Map<string, ArrayLike<number>>) =>
        Array.from({ length: 13 }, (_, i) => Array.from(state.get('queue')!).slice(8 * i, 8 * i + 8));
      const q = encode(batch.xQ, before.get('encoder_q.weight')!);
      const shuffled = encode(batch.xK, after.get('encoder_k.weight')!); // the momentum update comes first
      const k = Array.from(inverse(batch.order), (at) => shuffled[at]);
      assertClose(`loss ${t}`, [loss], [lossOf(q, k, rows(before), 0.2)]);
      expect(
        Math.abs(loss - lossOf(q, k, rows(after), 0.2)),
        'the queue after the enqueue gives another loss',
      ).toBeGreaterThan(1e-3);
      const want = rows(before);
      k.forEach((key, i) => (want[(t * N + i) % 13] = key));
      assertClose(`queue ${t}`, rows(after).flat(), want.flat());
      for (let i = N; i < 13; i++) expect(rows(after)[(t * N + i) % 13]).toEqual(rows(before)[(t * N + i) % 13]);
      expect(after.get('queue_ptr')![0]).toBe((N * (t + 1)) % 13);
    }
  });

  it('updates θ_q by SGD with the gradient of the loss: against central differences in plain JavaScript', async () => {
    const moco = on(reference64, () => new MoCo(() => new Plain(), { ...options, optimizer: sgd(0, 0) }));
    const batch = drawBatch(0);
    const before = await stateOf(moco);
    await advance(reference64, moco, batch, { lr: 1 });
    const after = await stateOf(moco);
    const W = Array.from(before.get('encoder_q.weight')!);
    const queue = Array.from({ length: 13 }, (_, i) => Array.from(before.get('queue')!).slice(8 * i, 8 * i + 8));
    const shuffled = encode(batch.xK, after.get('encoder_k.weight')!);
    const k = Array.from(inverse(batch.order), (at) => shuffled[at]);
    const rng = new Rng(SEED, 'probe');
    for (let probe = 0; probe < 10; probe++) {
      const at = rng.below(W.length);
      const loss = (d: number) =>
        lossOf(
          encode(
            batch.xQ,
            W.map((w, i) => (i === at ? w + d : w)),
          ),
          k,
          queue,
          0.2,
        );
      const slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
      assertClose(
        `dW[${at}], probe ${probe}`,
        [before.get('encoder_q.weight')![at] - after.get('encoder_q.weight')![at]],
        [slope],
        { relative: 1e-6, absolute: 1e-8 },
      );
    }
  });
});

describe('the batch shuffle', () => {
  /** Loss and queue after one step whose keys come in `order`. */
  async function after(splits: number, order: ArrayLike<number>, unshuffle = inverse(order)) {
    const device = await gpu();
    const moco = build(device, splits);
    const { xQ, xK, order: drawn } = drawBatch(0);
    const unpermuted = permuted(xK, inverse(drawn));
    const [loss] = await advance(device, moco, { xQ, xK: permuted(unpermuted, order), order: inverse(unshuffle) });
    return { loss, queue: await moco.queue.data() };
  }
  const identity = [0, 1, 2, 3, 4, 5, 6, 7];
  const any = [3, 6, 0, 7, 1, 4, 2, 5];

  it('is undone: with one split, keys in any order give the same loss and the same queue', async () => {
    const [plain, shuffled] = [await after(1, identity), await after(1, any)];
    assertClose('loss', [shuffled.loss], [plain.loss], { relative: 1e-5 });
    assertClose('queue', shuffled.queue, plain.queue, { relative: 1e-5 });
  });

  it('matters: keys in another order without the unshuffle are the wrong positives', async () => {
    const [plain, wrong] = [await after(1, identity), await after(1, any, Uint32Array.from(identity))];
    expect(Math.abs(plain.loss - wrong.loss)).toBeGreaterThan(1e-2);
  });

  it('with two interleaved splits changes only what crosses them: sample n is normalised with n mod 2', async () => {
    const plain = await after(2, identity);
    const within = await after(2, [4, 7, 0, 1, 6, 3, 2, 5]); // evens to evens, odds to odds
    assertClose('loss', [within.loss], [plain.loss], { relative: 1e-5 });
    assertClose('queue', within.queue, plain.queue, { relative: 1e-5 });
    const swapped = await after(2, [1, 0, 3, 2, 5, 4, 7, 6]); // the two splits trade places whole
    assertClose('queue', swapped.queue, plain.queue, { relative: 1e-5 });
    const across = await after(2, [0, 1, 2, 3, 5, 4, 6, 7]); // one even trades with one odd
    expect(worst(across.queue, plain.queue)).toBeGreaterThan(1e-2);
    const one = await after(1, identity);
    expect(worst(one.queue, plain.queue)).toBeGreaterThan(1e-2);
  });
});

describe('MoCo on the device', () => {
  it('the same seed gives the same bits twice, another seed others', async () => {
    const device = await gpu();
    const ends = [];
    for (const seed of [SEED, SEED, SEED + 1]) {
      const moco = build(device, 2, { seed });
      const losses = [];
      for (let t = 0; t < 5; t++) losses.push(await advance(device, moco, drawBatch(t)));
      ends.push({ losses, state: await stateOf(moco) });
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2].state.get('queue')).not.toEqual(ends[0].state.get('queue'));
    expect(ends[2].losses).not.toEqual(ends[0].losses);
  });

  it('holds memory flat over 50 steps', async () => {
    // a pool of its own: no other test gives memory back meanwhile
    const { pool, recorder, ...rest } = await openGpu({ robust: true });
    const device = new GpuBackend({ pool, recorder, ...rest });
    const moco = build(device);
    const batch = drawBatch(0);
    const losses: Promise<number[]>[] = [];
    let allocated = 0;
    for (let t = 0; t < 50; t++) {
      const before = device.memory().inUse; // between here and there nothing is awaited, so nothing is collected
      losses.push(advance(device, moco, batch));
      const after = device.memory().inUse;
      if (t > 0) expect(after, `bytes in use after step ${t}`).toBe(before);
      if (t === 1) allocated = pool.allocated;
      if (t > 1) expect(pool.allocated, `bytes allocated after step ${t}`).toBe(allocated);
      if (t % 5 === 4) await losses[t];
    }
    const all = await Promise.all(losses);
    expect(all.flat().every(Number.isFinite)).toBe(true);
    expect(all[49][0]).not.toBe(all[48][0]); // it is still training
  });
});
