import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoints/checkpoint.js';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import type { Pictures } from '../../src/data/picture-source.js';
import { splitHeldOut, subset } from '../../src/data/pictures.js';
import { syntheticPictures } from '../../src/data/synthetic.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/io/safetensors.js';
import { checkConfig, demoConfig, type PretrainConfig } from '../../src/moco/config.js';
import type { MoCo } from '../../src/moco/moco.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { Pretraining } from '../../src/train/pretrain.js';
import type { KnnRecord, Position, StepRecord, StepTiming } from '../../src/train/records.js';
import { gpu } from '../support/devices.js';

const pictures = splitHeldOut(syntheticPictures({ count: 96, size: 16, seed: 3 }), 0.25, 3); // 72 and 24
const config: PretrainConfig = {
  ...demoConfig,
  dim: 8,
  K: 45,
  m: 0.9,
  epochs: 3,
  batch: 16,
  lr: 0.03,
  lrBatch: 16,
  splits: 2,
  size: 8,
  heldOut: 0.25,
  knn: 5,
  knnEvery: 2,
  seed: 11,
};
const STEPS = 4 * 3; // 72 pictures hold 4 whole batches of 16

let before: Backend | undefined;
beforeAll(async () => {
  before = useBackend(await gpu());
});
afterAll(() => void useBackend(before));

const start = (changed: Partial<PretrainConfig> = {}) => new Pretraining({ ...config, ...changed }, pictures);
const save = (run: Pretraining) => saveCheckpoint(run.method, { step: String(run.position.step) });
const tensorsIn = (bytes: Uint8Array) => decodeSafetensors(bytes, 'test').tensors;

const bits = ({ data }: StoredTensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
/** Names of the tensors that are not the same, bit for bit, in both files. */
function differing(a: Uint8Array, b: Uint8Array): string[] {
  const [x, y] = [tensorsIn(a), tensorsIn(b)];
  return [...new Set([...x.keys(), ...y.keys()])].filter(
    (name) => !(x.has(name) && y.has(name) && bits(x.get(name)!).equals(bits(y.get(name)!))),
  );
}

interface Log {
  steps: StepRecord[];
  knn: KnnRecord[];
  epochs: Position[];
}
const logging = (log: Log) => ({
  onStep: (r: StepRecord) => void log.steps.push(r),
  onKnn: (r: KnnRecord) => void log.knn.push(r),
  onEpoch: (p: Position) => void log.epochs.push(p),
});
const emptyLog = (): Log => ({ steps: [], knn: [], epochs: [] });

let straight: Promise<{ log: Log; file: Uint8Array }> | undefined;
/** The run that is never interrupted. */
const runStraight = () =>
  (straight ??= (async () => {
    const [run, log] = [start(), emptyLog()];
    expect(await run.run(logging(log))).toBe(true);
    return { log, file: await save(run) };
  })());

describe('Pretraining', () => {
  it('runs every epoch: finite losses that start at chance, the cosine, and a queue that fills', async () => {
    const { log } = await runStraight();
    expect(log.steps.map((s) => s.step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    expect(log.steps.map((s) => s.epoch)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    for (const s of log.steps) {
      expect(Number.isFinite(s.loss)).toBe(true);
      expect(s.queueFill).toBe(Math.min(1, (16 * s.step) / 45));
      expect(s.lr).toBeCloseTo(0.015 * (1 + Math.cos((Math.PI * (s.epoch - 1)) / 3)), 12);
      expect(s.contrastTop1 * 16).toBeCloseTo(Math.round(s.contrastTop1 * 16), 5);
      expect(s.contrastTop5).toBeGreaterThanOrEqual(s.contrastTop1);
    }
    expect(log.steps[STEPS - 1].queueFill).toBe(1);
    // random keys have similarity 0 on average and the positive at most 1: ln(K + 1) less at most 1 / T, and not above
    // by more
    expect(log.steps[0].loss).toBeGreaterThan(Math.log(46) - 1 / config.T);
    expect(log.steps[0].loss).toBeLessThan(Math.log(46) + 1);
    expect(log.epochs).toEqual([4, 8, 12].map((step) => ({ step })));
    expect(log.knn.map((k) => k.epoch)).toEqual([2, 3]);
    for (const { knn } of log.knn) expect(knn * 24).toBeCloseTo(Math.round(knn * 24), 9);
  });

  it('stopped at any step, saved, loaded and run on, it ends in the same bits', async () => {
    const whole = await runStraight();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: STEPS - 1 }), async (stop) => {
        const [first, log, abort] = [start(), emptyLog(), new AbortController()];
        const { onStep, ...rest } = logging(log);
        const ended = await first.run({
          ...rest,
          onStep: (r) => (onStep(r), r.step === stop && abort.abort()),
          signal: abort.signal,
        });
        expect(ended).toBe(first.position.step === STEPS);
        expect(log.steps.length).toBe(first.position.step);
        expect(first.position.step - stop).toBeLessThan(3); // steps in flight are finished, not more
        const second = start({ seed: config.seed });
        const metadata = loadCheckpoint(second.method, await save(first), 'b.safetensors');
        second.position = { step: Number(metadata.step) };
        expect(await second.run(logging(log))).toBe(true);
        expect(log).toEqual(whole.log);
        expect(differing(await save(second), whole.file)).toEqual([]);
      }),
      { numRuns: 4, examples: [[1], [3]] },
    );
  });

  it('with pictures that go to the device step by step, stopped and run on too, it ends in the same bits', async () => {
    const whole = await runStraight();
    const stream = ({ data, ...about }: Pictures) => ({
      ...about,
      load: async (indices: ArrayLike<number>) => ({ data: subset({ ...about, data }, indices).data }),
    });
    const streamed = () =>
      new Pretraining(config, { train: stream(pictures.train), heldOut: stream(pictures.heldOut) }, { ahead: 3 });
    const [first, log, abort] = [streamed(), emptyLog(), new AbortController()];
    const { onStep, ...rest } = logging(log);
    await first.run({ ...rest, onStep: (r) => (onStep(r), r.step === 5 && abort.abort()), signal: abort.signal });
    const second = streamed();
    loadCheckpoint(second.method, await save(first), 'b.safetensors');
    second.position = first.position;
    expect(await second.run(logging(log))).toBe(true);
    expect(log).toEqual(whole.log);
    expect(differing(await save(second), whole.file)).toEqual([]);
  });

  it('the same seed gives the same first steps, another seed or no shuffle others', async () => {
    const { log } = await runStraight();
    const losses = async (changed: Partial<PretrainConfig>) => {
      const [run, l, abort] = [start(changed), emptyLog(), new AbortController()];
      await run.run({ onStep: (r) => (l.steps.push(r), abort.abort()), signal: abort.signal });
      return l.steps.map((s) => s.loss);
    };
    const same = await losses({});
    expect(same).toEqual(log.steps.slice(0, same.length).map((s) => s.loss));
    expect((await losses({ seed: 12 }))[0]).not.toBe(same[0]);
    expect((await losses({ shuffle: false }))[0]).not.toBe(same[0]);
  });

  it('tells how long data took, within the time of each step', async () => {
    const [run, seen, abort] = [start(), [] as StepTiming[], new AbortController()];
    await run.run({ onStep: (r, timing) => (seen.push(timing), r.step === 6 && abort.abort()), signal: abort.signal });
    expect(seen.length).toBeGreaterThanOrEqual(6); // into the second epoch
    for (const { dataMs, stepMs } of seen) {
      expect(dataMs).toBeGreaterThan(0);
      expect(stepMs).toBeGreaterThanOrEqual(dataMs);
      expect(stepMs).toBeLessThan(Infinity);
    }
  });

  it('does nothing when the signal is up already, or the end is reached', async () => {
    const run = start();
    const file = await save(run);
    expect(await run.run({ signal: AbortSignal.abort() })).toBe(false);
    run.position = { step: STEPS };
    const log = emptyLog();
    expect(await run.run(logging(log))).toBe(true);
    expect(log).toEqual(emptyLog());
    expect(differing(await save(run), file)).toEqual([]);
  });

  it('the features do not depend on the mode, and evaluating changes no tensor', async () => {
    const run = start();
    const file = await save(run);
    const a = await run.features();
    expect(a.train).toMatchObject({ count: 72, size: 64 });
    expect(a.heldOut).toMatchObject({ count: 24, size: 64, labels: pictures.heldOut.labels });
    expect(run.method.encoder.training).toBe(true);
    expect(await run.features()).toEqual(a);
    expect(differing(await save(run), file)).toEqual([]);
  });
});

describe('checkpoint', () => {
  it('has the names, shapes and types of facebookresearch/moco', async () => {
    const tensors = tensorsIn(await save(start()));
    const shapeOf = (name: string) => [tensors.get(name)?.dtype, ...(tensors.get(name)?.shape ?? [])];
    expect(shapeOf('encoder_q.conv1.weight')).toEqual(['F32', 32, 3, 3, 3]);
    expect(shapeOf('encoder_q.layer2.0.conv1.weight')).toEqual(['F32', 64, 32, 3, 3]);
    expect(shapeOf('encoder_k.layer2.0.downsample.0.weight')).toEqual(['F32', 64, 32, 1, 1]);
    expect(shapeOf('encoder_k.layer2.0.downsample.1.num_batches_tracked')).toEqual(['I64']);
    expect(shapeOf('encoder_q.fc.0.weight')).toEqual(['F32', 64, 64]);
    expect(shapeOf('encoder_q.fc.2.bias')).toEqual(['F32', 8]);
    expect(shapeOf('queue')).toEqual(['F32', 8, 45]);
    expect(shapeOf('queue_ptr')).toEqual(['I64', 1]);
    expect(shapeOf('optimizer.velocity.layer2.0.conv1.weight')).toEqual(['F32', 64, 32, 3, 3]);
  });

  it('stores filters as OIHW and the queue as [dim, K]', async () => {
    const run = start();
    const tensors = tensorsIn(await save(run));
    const { weight } = (run.method.encoder as unknown as { layer2: { conv1: { weight: Tensor } }[] }).layer2[0].conv1;
    const [inside, filed] = [await weight.data(), tensors.get('encoder_q.layer2.0.conv1.weight')!.data];
    for (const [o, i, r, s] of [
      [0, 0, 0, 0],
      [63, 31, 2, 2],
      [5, 7, 0, 2],
      [17, 3, 2, 1],
    ])
      expect(filed[((o * 32 + i) * 3 + r) * 3 + s]).toBe(inside[((o * 3 + r) * 3 + s) * 32 + i]);
    const [queue, stored] = [await (run.method as MoCo).queue.data(), tensors.get('queue')!.data];
    for (const [k, d] of [
      [0, 0],
      [44, 7],
      [3, 5],
    ])
      expect(stored[d * 45 + k]).toBe(queue[k * 8 + d]);
  });

  /** What `bytes` are refused with; the model must be as before. */
  async function refused(run: Pretraining, bytes: Uint8Array): Promise<unknown> {
    const was = await save(run);
    let error: unknown;
    try {
      loadCheckpoint(run.method, bytes, 'x.safetensors');
    } catch (e) {
      error = e;
    }
    expect(differing(await save(run), was)).toEqual([]);
    expect(error).toBeInstanceOf(FormatError);
    return error;
  }

  it('cut at any length is refused and changes nothing', async () => {
    const { file } = await runStraight();
    const run = start();
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), async (length) => void (await refused(run, file.slice(0, length)))),
      { numRuns: 12, examples: [[0], [7], [8], [file.length - 1]] },
    );
  });

  it.each<[string, Partial<PretrainConfig>, string]>([
    ['dim', { dim: 16 }, 'encoder_q.fc.2.weight must have shape [8, 64]; got [16, 64]'],
    ['K', { K: 44 }, 'queue must have shape [8, 45]; got [8, 44]'],
    ['head', { head: 'linear' }, 'got none named encoder_q.fc.0.weight'],
  ])('of another %s is refused and changes nothing', async (_, changed, sentence) => {
    expect(String(await refused(start(), await save(start({ ...changed, seed: 12 }))))).toContain(sentence);
  });

  it('with a tensor of another type or without one is refused and changes nothing', async () => {
    const { file } = await runStraight();
    const run = start();
    const changed = (name: string, to?: StoredTensor) => {
      const tensors = tensorsIn(file);
      if (to) tensors.set(name, to);
      else tensors.delete(name);
      return encodeSafetensors(tensors, {});
    };
    const bias = { dtype: 'I64', shape: [8], data: new BigInt64Array(8) } as const;
    expect(String(await refused(run, changed('encoder_k.fc.2.bias', { ...bias, shape: [8] })))).toContain(
      'encoder_k.fc.2.bias must be F32; got I64',
    );
    expect(
      String(await refused(run, changed('queue_ptr', { dtype: 'F32', shape: [1], data: Float32Array.of(2.5) }))),
    ).toContain('queue_ptr must be I64; got F32');
    expect(String(await refused(run, changed('queue_ptr')))).toContain('got none named queue_ptr');
  });
});

describe('checkConfig', () => {
  it.each<[Partial<PretrainConfig>, number, string]>([
    [
      { batch: 10, splits: 4 },
      100,
      'splits: the batch must divide into equal parts for batch norm; got batch 10 and splits 4. Use a batch of 12',
    ],
    [{ batch: 5, splits: 4 }, 100, 'Use a batch of 8'],
    [
      { batch: 4, splits: 4 },
      100,
      'splits: a part must have at least 2 pictures for batch norm; got batch 4 and splits 4',
    ],
    [
      { batch: 64, splits: 4 },
      50,
      'batch: it must not exceed the pictures to train on; got batch 64 and 50 pictures. Use a batch of 48 or fewer',
    ],
    [{ T: 0 }, 1000, 'T: it must be a number above 0; got 0'],
    [{ m: 1.1 }, 1000, 'm: it must be a number in [0, 1]; got 1.1'],
    [{ m: NaN }, 1000, 'm: it must be a number in [0, 1]; got NaN'],
    [{ K: 0 }, 1000, 'K: it must be a whole number above 0; got 0'],
    [{ K: 1.5 }, 1000, 'K: it must be a whole number above 0; got 1.5'],
    [{ lr: Infinity }, 1000, 'lr: it must be a number, at least 0; got Infinity'],
    [{ heldOut: 1 }, 1000, 'heldOut: it must be a number in [0, 1); got 1'],
    [{ seed: 2 ** 32 }, 1000, 'seed: it must be a whole number below 2^32; got 4294967296'],
    [{ epochs: '20' as unknown as number }, 1000, "epochs: it must be a whole number above 0; got '20'"],
  ])('refuses %o', (changed, count, sentence) => {
    expect(() => checkConfig({ ...demoConfig, ...changed }, count)).toThrow(ConfigError);
    expect(() => checkConfig({ ...demoConfig, ...changed }, count)).toThrow(sentence);
  });

  it('every batch it proposes is one that it accepts', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 300 }),
        (batch, splits, count) => {
          const c = { ...demoConfig, batch, splits };
          try {
            checkConfig(c, count);
          } catch (error) {
            const proposed = /Use a batch of (\d+)/.exec(String(error));
            if (!proposed || count < 2 * splits) return; // no batch fits so few pictures
            const again = () =>
              checkConfig(
                { ...c, batch: Number(proposed[1]) },
                Math.max(count, String(error).includes('splits:') ? Number(proposed[1]) : 0),
              );
            expect(again).not.toThrow();
          }
        },
      ),
    ));

  it('warns of a queue larger than the data set, saying why and what to use', () => {
    const large = { ...demoConfig, K: 1024 };
    const [warning, ...more] = checkConfig(large, 800);
    expect(more).toEqual([]);
    expect(warning).toContain('K: the queue (1024 keys) is larger than the data set (800 pictures)');
    expect(warning).toContain("other views of the query's own picture as negatives");
    expect(warning).toContain('Use --K 256 or fewer');
    expect(checkConfig({ ...demoConfig, K: 256 }, 800)).toEqual([]);
    expect(checkConfig(large, 1024)).toEqual([]);
    expect(new Pretraining({ ...config, K: 100 }, pictures).warnings[0]).toContain(
      'the queue (100 keys) is larger than the data set (72 pictures)',
    );
  });
});
