import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { moduleTensors } from '../../src/checkpoints/module-state.js';
import { Rng } from '../../src/core/rng.js';
import type { Pictures, StreamedPictures } from '../../src/data/picture-source.js';
import { subset } from '../../src/data/pictures.js';
import { embedPictures } from '../../src/eval/embed.js';
import { linearRate, linearRecipes } from '../../src/eval/linear-config.js';
import type { LinearRecord } from '../../src/eval/linear-fit.js';
import { jumps, type LinearData, linearProbe } from '../../src/eval/linear-probe.js';
import { bestRate, type Sweep } from '../../src/eval/linear-sweep.js';
import { BatchNorm } from '../../src/nn/batch-norm.js';
import { Conv2d } from '../../src/nn/conv2d.js';
import { Module } from '../../src/nn/module.js';
import { globalAvgPool } from '../../src/ops/avg_pool.js';
import { state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu } from '../support/devices.js';
import { assertClose } from '../support/op.js';

let before: Backend | undefined;
beforeAll(async () => {
  before = useBackend(await gpu());
});
afterAll(() => void useBackend(before));

/** A convolution and a batch norm, whose statistics are not those of a new one. */
class Tiny extends Module {
  readonly conv = new Conv2d(3, 5, 3, { stride: 2, seed: new Rng(1, 'tiny') });
  readonly bn = new BatchNorm(5);
  readonly features = 5;

  constructor() {
    super();
    this.bn.runningVar.set([0.5, 2, 1, 3, 0.1]);
    this.bn.numBatchesTracked.value = 7;
  }

  embed(x: Tensor): Tensor {
    return globalAvgPool(this.bn.call(this.conv.call(x)));
  }

  forward(x: Tensor): Tensor {
    return this.embed(x);
  }
}

const SIDE = 6;
const colours = [
  [200, 40, 40],
  [40, 200, 40],
  [40, 40, 200],
];

/** Pictures of one colour a class, with noise. */
function coloured(count: number, seed: number): Pictures {
  const rng = new Rng(seed, 'coloured');
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 3);
  const data = Uint8Array.from(
    { length: count * SIDE * SIDE * 3 },
    (_, i) => colours[labels[Math.floor(i / (SIDE * SIDE * 3))]][i % 3] + rng.below(40) - 20,
  );
  return {
    data,
    count,
    height: SIDE,
    width: SIDE,
    labels,
    classes: ['red', 'green', 'blue'],
    names: Array.from(labels, String),
    skipped: [],
  };
}

const [train, heldOut] = [coloured(31, 1), coloured(12, 2)];
const normalisation = { size: SIDE, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
const config: LinearData['config'] = {
  ...linearRecipes.v1,
  ...normalisation,
  epochs: 6,
  batch: 8,
  lr: 3,
  milestones: [3, 5],
  cropMin: 0.5,
};

describe('linearProbe', () => {
  it.each(['cached', 'augment'] as const)(
    '%s: learns classes that a line divides, and leaves the encoder as it was',
    async (views) => {
      const encoder = new Tiny();
      const stored = await moduleTensors(encoder);
      const told: LinearRecord[] = [];
      const {
        lr,
        epochs,
        heldOut: tested,
        classifier,
      } = await linearProbe(encoder, {
        train,
        heldOut,
        config: { ...config, views },
        stored,
        onEpoch: (r) => told.push(r),
      });
      expect(told).toEqual(epochs);
      expect(epochs.map((e) => [e.epoch, e.lr * 32])).toEqual(
        [
          [1, 3],
          [2, 3],
          [3, 3],
          [4, 0.3],
          [5, 0.3],
          [6, 0.03],
        ].map(([e, lr]) => [e, expect.closeTo(lr, 9)]),
      );
      expect(epochs[5].loss).toBeLessThan(epochs[0].loss);
      expect([lr, tested.top1, tested.top5, epochs[5].trainTop5]).toEqual([3, 1, 1, expect.closeTo(1, 6)]);
      expect([...classifier].map(([name, t]) => [name, t.shape])).toEqual([
        ['fc.weight', [3, 5]],
        ['fc.bias', [3]],
      ]);
      expect([encoder.training, encoder.bn.training]).toEqual([true, true]);
      expect(await moduleTensors(encoder)).toEqual(stored);
    },
  );

  it.each([
    ['cached', 2],
    ['augment', 0],
    ['augment', 3],
  ] as const)('%s: learns the same to the bit of a stream, %i steps ahead', async (views, ahead) => {
    const asked: number[] = [];
    const stream = (p: Pictures): StreamedPictures => {
      const { data: _, ...about } = p;
      return { ...about, load: async (indices) => (asked.push(indices.length), { data: subset(p, indices).data }) };
    };
    const probe = (sets: Pick<LinearData, 'train' | 'heldOut'>) =>
      linearProbe(new Tiny(), { ...sets, config: { ...config, views, epochs: 3 }, ahead });
    expect(await probe({ train: stream(train), heldOut: stream(heldOut) })).toEqual(await probe({ train, heldOut }));
    expect(asked).toEqual(views === 'cached' ? [31, 12] : [...Array(3).fill([8, 8, 8, 7]).flat(), 12]);
  });

  it('starts at N(0, 0.01) and 0, and its first step is -lr times the gradient of the mean cross-entropy', async () => {
    const once = (lr: number) =>
      linearProbe(new Tiny(), { train, heldOut, config: { ...config, views: 'cached', epochs: 1, batch: 1000, lr } });
    const [still, moved] = [(await once(1e-12)).classifier, await once(2)];
    expect(moved.epochs[0].lr).toBeCloseTo((2 * 31) / 256, 9); // the batch is the set
    const [W, b] = [still.get('fc.weight')!.data as Float32Array, still.get('fc.bias')!.data];
    expect([...b]).toEqual([0, 0, 0].map((v) => expect.closeTo(v, 9)));
    const spread = Math.sqrt(W.reduce((s, v) => s + v * v, 0) / W.length);
    expect(spread).toBeGreaterThan(0.005);
    expect(spread).toBeLessThan(0.015);
    const { values } = await embedPictures(
      new Tiny(),
      train,
      state(tensor(train.data, [31, SIDE, SIDE, 3])),
      normalisation,
    );
    const [dW, db] = [new Float64Array(15), new Float64Array(3)];
    let loss = 0;
    for (let i = 0; i < 31; i++) {
      const x = values.subarray(5 * i, 5 * i + 5);
      const e = [0, 1, 2].map((c) => Math.exp(x.reduce((s, v, j) => s + v * W[5 * c + j], 0)));
      const total = e[0] + e[1] + e[2];
      loss -= Math.log(e[train.labels![i]] / total) / 31;
      e.forEach((v, c) => {
        const d = (v / total - (train.labels![i] === c ? 1 : 0)) / 31;
        db[c] += d;
        x.forEach((xj, j) => (dW[5 * c + j] += d * xj));
      });
    }
    expect(moved.epochs[0].loss).toBeCloseTo(loss, 5);
    assertClose(
      'weight',
      moved.classifier.get('fc.weight')!.data as Float32Array,
      W.map((w, i) => w - moved.epochs[0].lr * dW[i]),
      { relative: 1e-5 },
    );
    assertClose(
      'bias',
      moved.classifier.get('fc.bias')!.data as Float32Array,
      Float64Array.from(db, (v) => -moved.epochs[0].lr * v),
      { relative: 1e-5 },
    );
  });

  it.each<[string, string, (encoder: Tiny) => unknown]>([
    ['a weight', 'conv.weight', ({ conv }) => conv.weight.set(new Float32Array(conv.weight.size))],
    ['the sign of a zero', 'bn.running_mean', ({ bn }) => bn.runningMean.set([0, 0, -0, 0, 0])],
    ['a count', 'bn.num_batches_tracked', ({ bn }) => bn.numBatchesTracked.value++],
    ['training mode, whose statistics move', 'bn.running_mean', (encoder) => encoder.train()],
  ])('ends in an error that names the tensor when %s changes', async (_, name, tamper) => {
    const encoder = new Tiny();
    const probe = linearProbe(encoder, {
      train,
      heldOut,
      config: { ...config, epochs: 2 },
      onEpoch: ({ epoch }) => void (epoch === 1 && tamper(encoder)),
    });
    await expect(probe).rejects.toThrow(
      `linear probe: nothing must change but the classifier; got another ${name} than the checkpoint's`,
    );
    expect(encoder.training).toBe(true);
  });

  it('ends in an error for a checkpoint of another encoder', async () => {
    const other = new Tiny();
    other.bn.runningVar.set([1, 1, 1, 1, 1]);
    await expect(
      linearProbe(new Tiny(), { train, heldOut, config: { ...config, epochs: 1 }, stored: await moduleTensors(other) }),
    ).rejects.toThrow('got another bn.running_var');
  });

  it('says what cannot work', async () => {
    const probe = ({ c, ...changed }: Partial<LinearData> & { c?: Partial<LinearData['config']> }) =>
      linearProbe(new Tiny(), { train, heldOut, ...changed, config: { ...config, views: 'cached', ...c } });
    await expect(probe({ c: { lr: 1e42 } })).rejects.toThrow(
      /linear probe: the loss must stay finite; got (NaN|Infinity) in epoch 1 at a learning rate of .* Lower it/,
    );
    await expect(probe({ c: { epochs: 0 } })).rejects.toThrow('epochs: it must be a whole number above 0; got 0');
    await expect(probe({ heldOut: { ...heldOut, labels: undefined } })).rejects.toThrow(
      'linear probe: both sets must have labels',
    );
    await expect(probe({ heldOut: subset(heldOut, []) })).rejects.toThrow('got 31 and 0. Hold some out');
  });
});

describe('the sweep of learning rates', () => {
  const swept = { ...config, views: 'cached' as const, lr: 30, epochs: 6, batch: 32, milestones: [] };

  it(
    'tries six about the recipe on training pictures alone, trains on all with the best, ' +
      'and measures the others once',
    async () => {
      const told: [Sweep, number][] = [];
      const onSweep = (sweep: Sweep, lr: number) => void told.push([sweep, lr]);
      const {
        lr,
        sweep,
        heldOut: tested,
      } = await linearProbe(new Tiny(), { train, heldOut, config: swept, sweep: true, onSweep });
      expect(told).toEqual([[sweep, lr]]);
      expect(sweep!.rates.map((r) => r.lr)).toEqual([90, 30, 9, 3, 0.9, 0.3]);
      expect([sweep!.trained, sweep!.measured]).toEqual([25, 6]);
      expect(lr).toBe(bestRate(sweep!)!.lr);
      expect(tested.top1).toBe(1);
      const fixed = await linearProbe(new Tiny(), { train, heldOut, config: { ...swept, lr } });
      expect({ ...fixed, sweep }).toEqual(
        await linearProbe(new Tiny(), { train, heldOut, config: swept, sweep: true }),
      );
    },
  );

  it('does not depend on the pictures that are measured in the end', async () => {
    const wrong = { ...heldOut, labels: heldOut.labels!.map((l) => (l + 1) % 3) };
    const rates = async (tested: Pictures) =>
      (await linearProbe(new Tiny(), { train, heldOut: tested, config: swept, sweep: true })).sweep;
    expect(await rates(wrong)).toEqual(await rates(heldOut));
  });

  it('leaves out rates that diverge, and says so where all do', async () => {
    const rates = [NaN, 0.5, 0.9, 0.9].map((accuracy, i) => ({ lr: 10 - i, accuracy, loss: [NaN, 1, 0.4, 0.3][i] }));
    expect(bestRate({ rates, measured: 1, trained: 1 })!.lr).toBe(7);
    const all = linearProbe(new Tiny(), { train, heldOut, config: { ...swept, lr: 1e42 }, sweep: true });
    await expect(all).rejects.toThrow(
      'linear probe: one of the learning rates tried must keep the loss finite; got none of 3e+42',
    );
  });

  it('warns where the training accuracy falls by more than chance explains', () => {
    const warned = (count: number, ...trainTop1: number[]) =>
      jumps(
        trainTop1.map((v, i) => ({ epoch: i + 1, lr: 1, loss: 1, trainTop1: v, trainTop5: 1 })),
        count,
      );
    expect(warned(800, 0.4, 0.8, 0.52, 0.79, 0.6)).toEqual([
      'The training accuracy jumps: it fell from 80.0 % to 52.0 % in epoch 3, and in 2 epochs in all. ' +
        'The learning rate is too high for these features, and the result a matter of where training stopped: ' +
        'lower --lr.',
    ]);
    expect(warned(800, 0.4, 0.6, 0.55, 0.57, 0.7)).toEqual([]); // 2 standard errors
    expect(warned(30, 0.4, 0.6, 0.4, 0.7)).toEqual([]);
    expect(warned(100_000, 0.4, 0.44, 0.42, 0.43)).toEqual([]);
  });
});

describe('linearRecipes', () => {
  it('have the rates of the papers', () => {
    const at = (name: keyof typeof linearRecipes, ...epochs: number[]) =>
      epochs.map((e) => linearRate(linearRecipes[name], e, linearRecipes[name].batch));
    expect(at('v1', 0, 59, 60, 80, 99)).toEqual([30, 30, 3, 0.3, 0.3].map((v) => expect.closeTo(v, 9)));
    expect(at('v3', 0, 45, 90)).toEqual([0.4, 0.2, 0].map((v) => expect.closeTo(v, 9)));
    expect(at('v3-vit', 0)[0]).toBeCloseTo(12, 9);
    for (const r of Object.values(linearRecipes))
      expect(r).toMatchObject({ momentum: 0.9, weightDecay: 0, views: 'augment' });
  });
});
