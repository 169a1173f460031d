import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { Rng } from '../../src/core/rng.js';
import { firstLayer, gradientNorm } from '../../src/eval/monitors.js';
import { demoConfig, type PretrainConfig } from '../../src/moco/config.js';
import { accuracy } from '../../src/moco/contrast.js';
import { createMethod } from '../../src/moco/create.js';
import type { Method } from '../../src/moco/method.js';
import { tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, reference } from '../support/devices.js';

const [N, SIDE, n] = [8, 8, 16];
const base: PretrainConfig = {
  ...demoConfig,
  dim: 6,
  hidden: 8,
  K: 13,
  splits: 1,
  batch: N,
  size: SIDE,
  seed: 5,
  m: 0,
};
const mechanisms: [name: string, changed: Partial<PretrainConfig>][] = [
  ['MoCo', {}],
  ['MoCo, symmetric', { symmetric: true }],
  ['MoCo v3', { method: 'moco-v3' }],
  ['end to end', { method: 'end-to-end' }],
  ['memory bank', { method: 'memory-bank' }],
  ['memory bank, NCE', { method: 'memory-bank', bankLoss: 'nce' }],
  ['memory bank, full', { method: 'memory-bank', bankLoss: 'full' }],
];
const backends: [name: string, open: () => Backend | Promise<Backend>][] = [
  ['GPU', gpu],
  ['reference', () => reference],
];

/** [loss, top 1, top 5] of step `t`, which looks at one half of the pictures. */
async function measure(method: Method, t: number): Promise<number[]> {
  const picture = (stream: number) =>
    Float32Array.from(
      { length: N * SIDE * SIDE * 3 },
      (
        (rng) => () =>
          rng.normal()
      )(new Rng(5, 'x', stream)),
    );
  const same = () => tensor(Uint32Array.from({ length: N }, (_, i) => i));
  const values = tidy(() => {
    const [x1, x2] = [picture(2 * t), picture(2 * t + 1)].map((x) => tensor(x, [N, SIDE, SIDE, 3]));
    const index = tensor(Uint32Array.from({ length: N }, (_, i) => (N * t + i) % n));
    const negatives = tensor(Uint32Array.from({ length: 13 }, (_, i) => i));
    return method
      .step([{ x1, x2, index, shuffle: same(), unshuffle: same(), negatives }], { lr: tensor([0]), m: tensor([0]) })
      .data();
  });
  return Array.from(await values);
}

describe.each(backends)('contrast accuracy on %s', (_, open) => {
  let before: Backend | undefined;
  beforeAll(async () => {
    before = useBackend(await open());
  });
  afterAll(() => void useBackend(before));

  it.each(mechanisms)(
    '%s: 0 of an encoder whose outputs are all equal, and of one whose outputs are no numbers',
    async (_, changed) => {
      const method = createMethod({ ...base, ...changed }, n);
      const head = [...method.optimizer.parameters.named]
        .filter(([name]) => /(fc|predictor)\.\d+\.weight$/.test(name))
        .at(-1)![1];
      head.set(new Float32Array(head.size));
      for (let t = 0; t < 3; t++) await measure(method, t); // queue and bank hold nothing else by now
      const [loss, ...right] = await measure(method, 3);
      expect(loss).toBeGreaterThan(0);
      expect(right).toEqual([0, 0]);
      head.set(new Float32Array(head.size).fill(NaN));
      const [told, ...wrong] = await measure(method, 4);
      const [norm] = await gradientNorm(firstLayer(method.encoder).weight).data();
      expect([Number.isFinite(told) && Number.isFinite(norm), ...wrong]).toEqual([false, 0, 0]);
    },
  );

  it('counts a score as right only above all others; equals are wrong, and NaN, of few classes too', async () => {
    const rows = [
      [3, 1, 2],
      [1, 1, 0],
      [1, NaN, 0],
      [NaN, 1, 0],
      [0, 0, 0],
      [NaN, NaN, NaN],
      [1, 2, 0],
    ];
    const { top1, top5 } = accuracy(tensor(rows.flat(), [rows.length, 3]), tensor(rows.map((r) => r[0])));
    expect([(await top1.data())[0], (await top5.data())[0]]).toEqual([1 / 7, 5 / 7].map((v) => expect.closeTo(v, 6)));
  });
});
