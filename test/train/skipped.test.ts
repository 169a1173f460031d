import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { compile } from '../../src/compile/compile.js';
import { Rng } from '../../src/core/rng.js';
import { decodeSafetensors } from '../../src/io/safetensors.js';
import type { PretrainConfig } from '../../src/moco/config.js';
import { createMethod } from '../../src/moco/create.js';
import type { Method } from '../../src/moco/method.js';
import { withPrecision } from '../../src/ops/precision.js';
import { reshape } from '../../src/ops/reshape.js';
import { slice } from '../../src/ops/strided.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';
import { base, v3 } from '../support/short_run.js';

const methods: [string, Partial<PretrainConfig>][] = [
  ['MoCo v1', { head: 'linear' }],
  ['MoCo v2, symmetric, in parts', { symmetric: true, accumulate: 2 }],
  ['MoCo v3, LARS', { ...v3, optimizer: 'lars' }],
  ['end to end, two encoders', { method: 'end-to-end', shared: false }],
  ['memory bank, NCE', { method: 'memory-bank', bankLoss: 'nce', K: 8 }],
];

/** A scale under which no gradient of these runs overflows, and one under which all do. */
const SCALE = 64;
const huge = ({ f16 }: Backend) => (f16 ? 2 ** 32 : Infinity);
/** What views are multiplied by, so that the first convolution overflows, in floats too. */
const FAR = 1e38;

/** A method whose step is recorded, and what it is given: an order that shuffles, and pictures of a number. */
class Run {
  readonly method: Method;
  readonly #on: Backend;
  readonly #config: PretrainConfig;

  constructor(backend: Backend, changed: Partial<PretrainConfig>) {
    this.#on = backend;
    this.#config = { ...base, batch: 4, m: 0.9, precision: 'f16', ...changed };
    this.method = on(backend, () => createMethod(this.#config, 16));
    this.scale(SCALE);
  }

  /** Sets the loss scale. */
  scale(to: number): void {
    this.#scale.state.set([to, 0, 0, 0]);
  }

  get #scale() {
    return this.method.optimizer.parameters.lossScale!;
  }

  readonly #step = compile((x1: Tensor, x2: Tensor, lr: Tensor, m: Tensor) => {
    const { batch, size, accumulate } = this.#config;
    const n = batch / accumulate;
    const whole = (i: number, by: number) =>
      tensor(Uint32Array.from({ length: n }, (_, at) => i * n + ((at * by) % n)));
    const order = () => tensor(Uint32Array.from({ length: n }, (_, at) => n - 1 - at));
    const parts = Array.from({ length: accumulate }, (_, i) => {
      const [a, b] = [x1, x2].map((x) => slice(reshape(x, [batch, size, size, 3]), 0, i * n, (i + 1) * n));
      return { x1: a, x2: b, index: whole(i, 1), negatives: whole(i, 3), shuffle: order(), unshuffle: order() };
    });
    return withPrecision('f16', () => this.method.step(parts, { lr, m }));
  });

  /** Makes step `i`; `factors` multiply its views. */
  async step(i: number, ...factors: [number, number] | []): Promise<void> {
    const { batch, size } = this.#config;
    const [x1, x2] = [0, 1].map((view) => {
      const rng = new Rng(i, 'view', view);
      return Float32Array.from({ length: 3 * batch * size ** 2 }, () => (factors[view] ?? 1) * rng.normal());
    });
    await on(this.#on, () => this.#step(x1, x2, 0.05, 0.9 + i / 100)).data();
  }

  /**
   * Steps skipped, and every tensor that a checkpoint holds but the loss scale's; counts of batches live on the host.
   */
  async seen(): Promise<{ skipped: number; state: Map<string, ArrayLike<unknown>> }> {
    const scale = (await this.#scale.state.data()).slice();
    this.#scale.state.set([SCALE, ...scale.slice(1)]); // an infinite one cannot be saved
    const { tensors } = decodeSafetensors(await saveCheckpoint(this.method, {}), 'run');
    this.#scale.state.set(scale);
    const state = new Map(
      [...tensors].flatMap(([name, { data }]) =>
        /num_batches_tracked|loss_scale/.test(name) ? [] : [[name, data] as const],
      ),
    );
    return { skipped: scale[2], state };
  }
}

async function check(backend: Backend, changed: Partial<PretrainConfig>): Promise<void> {
  const [run, whole] = [new Run(backend, changed), new Run(backend, changed)];
  const bad: [what: string, scale: number, factors: [number, number]][] = [
    ['in the forward pass of queries', SCALE, [FAR, 1]],
    ['in that of keys', SCALE, [1, FAR]],
    ['in the backward pass alone', huge(backend), [1, 1]],
  ];
  await run.step(1);
  await whole.step(1);
  for (const [i, [what, scale, factors]] of bad.entries()) {
    if (factors[1] > 1 && run.method.views === 1) continue;
    run.scale(scale);
    const before = await run.seen();
    await run.step(10 + i, ...factors);
    const { skipped, state } = await run.seen();
    expect(skipped, what).toBe(1);
    expect(state, what).toEqual(before.state);
  }
  run.scale(SCALE);
  await run.step(2);
  await whole.step(2);
  const after = await run.seen();
  expect(after).toEqual(await whole.seen());
  expect(after.skipped).toBe(0);
}

describe('a step that overflows leaves every bit of all state, and the next goes on from there', () => {
  it.each(methods)('%s', async (_, changed) => check(await gpu(), changed));
  it('MoCo v2, by the mirrors in halves', () => check(reference, {}));
});
