import { describe, expect, it, vi } from 'vitest';
import { patience } from '../../scripts/speed.mjs';
import { GpuBackend } from '../../src/backend/gpu.js';
import { compile } from '../../src/compile/compile.js';
import { HostArray } from '../../src/compile/inputs.js';
import { ConfigError, DTypeError } from '../../src/core/errors.js';
import { Rng } from '../../src/core/rng.js';
import { mostAlive, planMemory } from '../../src/gpu/plan.js';
import { MoCo } from '../../src/moco/moco.js';
import { BatchNorm } from '../../src/nn/batch-norm.js';
import { resnet } from '../../src/nn/resnet.js';
import { add, mul, sub } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { slice } from '../../src/ops/strided.js';
import { exp } from '../../src/ops/unary.js';
import { SGD } from '../../src/optim/sgd.js';
import { accumulate } from '../../src/tensor/accumulate.js';
import { backward, zeroGrad } from '../../src/tensor/autograd.js';
import { full } from '../../src/tensor/fill.js';
import { parameter, state, type Tensor, tensor, view } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

const array = async (t: Tensor) => Array.from(await t.data());
const [N, SIDE] = [8, 16];

/** A run of MoCo whose steps are taken by `wrap(moco.step)`. */
function mocoRun(
  wrap: (
    fn: (x1: Tensor, x2: Tensor, shuffle: Tensor, unshuffle: Tensor, lr: Tensor) => Tensor,
  ) => (...inputs: (Tensor | Float32Array | Uint32Array)[]) => Tensor,
) {
  const moco = new MoCo(() => resnet('resnet-tiny', { stem: 'small', head: 'mlp', dim: 16, splits: 2, seed: 5 }), {
    K: 21,
    T: 0.2,
    dim: 16,
    seed: 5,
    optimizer: (parameters) => new SGD(parameters, { momentum: 0.9, weightDecay: 1e-3 }),
  });
  const pictures = (x: Tensor) => reshape(x, [N, SIDE, SIDE, 3]);
  const work = (x1: Tensor, x2: Tensor, shuffle: Tensor, unshuffle: Tensor, lr: Tensor): Tensor =>
    moco.step([{ x1: pictures(x1), x2: pictures(x2), index: shuffle, shuffle, unshuffle }], { lr, m: full([1], 0.9) });
  const inputs = (i: number) => {
    const rng = new Rng(5, 'step', i);
    const view = () => Float32Array.from({ length: N * SIDE * SIDE * 3 }, () => rng.normal());
    const [x1, x2, shuffle] = [view(), view(), rng.permutation(N)];
    return [x1, x2, shuffle, Uint32Array.from(shuffle, (_, at) => shuffle.indexOf(at)), Float32Array.of(0.1 / (1 + i))];
  };
  const [train, plainly] = [wrap(work), eagerly(work)];
  return { moco, train, step: (i: number) => train(...inputs(i)), eagerStep: (i: number) => plainly(...inputs(i)) };
}

const eagerly =
  (fn: (...x: Tensor[]) => Tensor) =>
  (...inputs: (Tensor | Float32Array | Uint32Array)[]) =>
    tidy(() => fn(...inputs.map((x) => (ArrayBuffer.isView(x) ? tensor(x) : x) as Tensor)));

async function stateOf(moco: MoCo): Promise<Map<string, unknown>> {
  const entries = [...moco.encoderQ.entries('q.'), ...moco.encoderK.entries('k.')];
  const tensors = { queue: moco.queue, pointer: moco.pointer, velocity: moco.optimizer.state().get('velocity')! };
  return new Map<string, unknown>([
    ...(await Promise.all(
      entries.map(async (e) => [e.name, 'tensor' in e ? await array(e.tensor) : e.counter.value] as const),
    )),
    ...(await Promise.all(Object.entries(tensors).map(async ([name, t]) => [name, await array(t)] as const))),
  ]);
}

describe('compile', () => {
  it(
    'replays MoCo to the bit of the eager steps: loss, parameters, counters, queue and pointer; ' +
      'eager steps may come between',
    async () => {
      const device = await gpu();
      const [plain, replayed] = on(device, () => [mocoRun(eagerly), mocoRun((fn) => compile(fn))]);
      for (let i = 0; i < 7; i++) {
        const [a, b] = on(device, () => [
          plain.step(i).data(),
          (i === 4 ? replayed.eagerStep(i) : replayed.step(i)).data(),
        ]);
        expect(Array.from(await b), `step ${i}`).toEqual(Array.from(await a));
      }
      expect(await stateOf(replayed.moco)).toEqual(await stateOf(plain.moco));
    },
  );

  it(
    'a replay makes no buffer and no bind group, submits at most four times, ' +
      'and plans memory near what lives at once',
    async () => {
      const device = await gpu();
      const {
        gpu: { device: raw, recorder },
      } = device;
      const run = on(device, () => mocoRun((fn) => compile(fn)));
      for (let i = 0; i < 4; i++) await on(device, () => run.step(i).data());
      const made = [
        vi.spyOn(raw, 'createBuffer'),
        vi.spyOn(raw, 'createBindGroup'),
        vi.spyOn(raw, 'createComputePipeline'),
      ];
      const submits = vi.spyOn(raw.queue, 'submit');
      const [held, reads] = [device.memory().inUse, [] as Promise<unknown>[]];
      for (let i = 4; i < 7; i++) reads.push(on(device, () => run.step(i).data()));
      await Promise.all(reads);
      expect(made.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
      expect(submits.mock.calls.length).toBeLessThanOrEqual(4 * 3);
      expect(device.memory().inUse).toBeLessThanOrEqual(held); // less, if other runs were collected meanwhile
      for (const spy of [...made, submits]) spy.mockRestore();
      expect(recorder.submits).toBeGreaterThan(0);
      const { memory, dispatches } = run.train as ReturnType<typeof compile>;
      expect(dispatches).toBeGreaterThan(100);
      expect(memory.planned).toBeLessThanOrEqual(1.3 * memory.live);
    },
  );

  it('a replay costs the host microseconds a dispatch', async () => {
    const device = await gpu();
    const f = on(device, () =>
      compile((x: Tensor) => {
        let y = x;
        for (let i = 0; i < 1000; i++) y = mul(y, y);
        return y;
      }),
    );
    const took: number[] = [];
    for (let i = 0; i < 35; i++) {
      const start = performance.now();
      on(device, () => f(Float32Array.of(1, 1)));
      took.push(performance.now() - start);
      await device.gpu.device.queue.onSubmittedWorkDone();
    }
    // some calls encode for those after them
    const mean = (at: number) => took.slice(at, at + 4).reduce((a, b) => a + b) / 4;
    const least = Math.min(...[3, 7, 11, 15, 19, 23, 27, 31].map(mean)); // of eight: other tests may have the processor
    expect(f.dispatches).toBe(1000);
    expect((1000 * least) / f.dispatches).toBeLessThan(patience(12)); // 2 to 3 on an idle machine
  });

  it('takes vectors, numbers and tensors; other shapes and types record anew', async () => {
    const device = await gpu();
    let runs = 0;
    const scale = on(device, () => compile((x: Tensor, by: Tensor) => (runs++, [mul(x, by)])));
    for (let i = 0; i < 4; i++) {
      const n = 3 + (i % 2);
      for (const by of [1, 2, 5]) {
        const x = Float32Array.from({ length: n }, (_, j) => i + j);
        const want = Array.from(x, (v) => v * by);
        expect(await on(device, () => array(scale(x, by)[0]))).toEqual(want);
        expect(await on(device, () => array(scale(tensor(x), tensor([by], []))[0]))).toEqual(want);
      }
    }
    expect(runs).toBe(4); // two a shape
  });

  it('takes and returns trees by name, however an object is written; shapes travel with values', async () => {
    const device = await gpu();
    interface Step {
      rate: Tensor;
      parts: { x: Tensor; y?: Tensor }[];
    }
    for (const backend of [device, reference]) {
      const f = on(backend, () =>
        compile(({ rate, parts }: Step) => ({
          shapes: parts.map(({ x }) => x.shape),
          scaled: parts.map(({ x, y }) => mul(y ? sub(x, y) : x, rate)),
        })),
      );
      const part = (i: number) => ({ x: new HostArray([i, 1, 2, 3], [2, 2]), y: on(backend, () => tensor([i, i])) });
      for (let i = 0; i < 4; i++) {
        const { x, y } = part(i);
        const parts =
          i % 2
            ? [{ x, y }, { x }]
            : [
                { y, x },
                { x, y: undefined },
              ];
        const { shapes, scaled } = on(backend, () =>
          i % 2 ? f({ rate: 2, parts }) : f({ parts, rate: new Float32Array([2]) }),
        );
        expect(shapes).toEqual([
          [2, 2],
          [2, 2],
        ]);
        expect(await Promise.all(scaled.map(array))).toEqual([
          [0, 2 - 2 * i, 4 - 2 * i, 6 - 2 * i],
          [2 * i, 2, 4, 6],
        ]);
      }
    }
  });

  it.each(['gpu', 'reference'] as const)(
    'refuses another structure than the first call had, with the path: %s',
    async (kind) => {
      const device = kind === 'gpu' ? await gpu() : reference;
      const [x, y] = [Float32Array.of(1), Float32Array.of(2)];
      const f = on(device, () => compile((a: { parts: { x: Tensor; y?: Tensor }[] }) => a.parts.map((p) => p.x)));
      const call = (inputs: unknown) => () => on(device, () => f(inputs as { parts: { x: number }[] }));
      expect(call({ parts: [{ x: 'a' }] })).toThrow(
        new DTypeError(
          'compile: inputs must be tensors, HostArrays, typed arrays or numbers, in objects and arrays; ' +
            "got 'a' at inputs.parts[0].x. Convert it.",
        ),
      );
      expect(call({})).toThrow(TypeError); // the function itself asks for parts, and no structure is settled
      call({ parts: [{ x, y }] })();
      const refused = (got: string) =>
        new ConfigError(
          `compile: inputs must have the structure of the first call's; got ${got}. Compile another function for it.`,
        );
      expect(call({ parts: [{ x }] })).toThrow(refused('nothing at inputs.parts[0].y'));
      expect(
        call({
          parts: [
            { x, y },
            { x, y },
          ],
        }),
      ).toThrow(refused('inputs.parts[1] besides'));
      expect(call({ parts: [{ x, y: [x] }] })).toThrow(refused('a list at inputs.parts[0].y in place of a leaf'));
      expect(() => on(device, () => (f as unknown as (...a: unknown[]) => void)({ parts: [{ x, y }] }, 1))).toThrow(
        refused('2 arguments in place of 1'),
      );
      call({ parts: [{ y, x }] })();
    },
  );

  it('is compiled in parallel by async, with the same result', async () => {
    const device = new GpuBackend({ ...(await gpu()).gpu, software: false });
    const f = on(device, () => compile((x: Tensor) => sum(mul(add(x, 3), x))));
    const first = on(device, () => f.async(Float32Array.of(1, 2)));
    expect(() => on(device, () => f(Float32Array.of(1, 2)))).toThrow(/Wait for async\(\) first/);
    expect(await (await first).item()).toBe(14);
    for (const x of [2, 3, 4])
      expect(await (await on(device, () => f.async(Float32Array.of(x, 0)))).item()).toBe(x * (x + 3));
  });

  it('accumulates or overwrites gradients as eager code would, whatever eager code did before', async () => {
    const history = async (use: (fn: (x: Tensor) => Tensor) => (x: Float32Array) => Tensor) => {
      const device = await gpu();
      const p = on(device, () => parameter(tensor([2, 3])));
      const train = on(device, () =>
        use((x) => {
          const loss = sum(mul(mul(p, p), x));
          backward(loss);
          return loss;
        }),
      );
      const seen: number[][] = [];
      for (let i = 0; i < 12; i++) {
        on(device, () => {
          if (i % 4 === 3) zeroGrad([p]);
          if (i === 9) p.grad = undefined;
          train(Float32Array.of(i + 1, 1));
        });
        seen.push(await array(p.grad!));
      }
      return seen;
    };
    expect(await history((fn) => compile(fn))).toEqual(await history((fn) => (x) => tidy(() => fn(tensor(x)))));
  });

  it('counts batches in replays, and evaluation mode is another recording', async () => {
    const device = await gpu();
    const bn = on(device, () => new BatchNorm(4));
    const f = on(device, () => compile((x: Tensor) => bn.call(reshape(x, [2, 4]))));
    const x = Float32Array.of(0, 1, 2, 3, 2, 3, 4, 5);
    for (let i = 0; i < 5; i++) on(device, () => f(x));
    expect(bn.numBatchesTracked.value).toBe(5);
    bn.eval();
    const evaluated = await on(device, () => array(f(x)));
    expect(evaluated).toEqual(await on(device, () => tidy(() => array(bn.call(tensor(x, [2, 4]))))));
    expect(bn.numBatchesTracked.value).toBe(5);
  });

  it('makes constants of tensors made inside, also of those that it overwrites', async () => {
    const device = await gpu();
    const f = on(device, () =>
      compile((x: Tensor) => {
        const total = tensor([10, 20]);
        accumulate(total, x);
        return total;
      }),
    );
    for (let i = 0; i < 5; i++) expect(await on(device, () => array(f(Float32Array.of(i, 1))))).toEqual([10 + i, 21]);
  });

  it('refuses what a replay could not repeat', async () => {
    const device = await gpu();
    const s = on(device, () => state(full([1], 0)));
    expect(() => on(device, () => compile(() => void s.set([1]))())).toThrow(
      new ConfigError(
        'set: inside a compiled function only new tensors are given values, once, before they are used; ' +
          'got another. Set it outside, or pass the values as an argument.',
      ),
    );
    await expect(on(device, () => compile(() => full([1], 1).data())())).rejects.toThrow(
      'data: inside a compiled function nothing has been computed yet',
    );
    let lost!: () => Tensor;
    on(device, () =>
      tidy(() => {
        const within = full([2], 1);
        const uses = compile(() => add(within, 1));
        for (let call = 0; call < 3; call++) uses();
        lost = uses;
      }),
    );
    expect(() => on(device, () => lost())).toThrow(
      'compile: a tensor that the function used when it was recorded is gone. Keep it with state(), ' +
        'or pass it as an argument.',
    );
    expect(() => on(device, () => compile((x: Tensor) => x)(parameter(tensor([1]))))).toThrow(
      /arguments must carry no gradients/,
    );
  });

  /** Functions that change with `i`, which is 0 and 1, and what of them a second call finds. */
  const changing: [name: string, make: () => (x: Tensor, i: number) => unknown, got: string][] = [
    ['values made inside', () => (x, i) => mul(x, tensor([1, i])), 'upload 1, with other values'],
    ['a number', () => (x, i) => mul(x, i), 'binary_number, dispatch 0, with other parameters or tensors'],
    ['a place', () => (x, i) => slice(x, 0, i, i + 1), 'strided, dispatch 0, with other parameters or tensors'],
    ['a size', () => (x, i) => slice(x, 0, 0, i + 1), 'strided, dispatch 0, with other parameters or tensors'],
    [
      'a tensor from outside',
      () => {
        const outside = [state(full([2], 5)), state(full([2], 7))];
        return (x, i) => mul(x, outside[i]);
      },
      'binary, dispatch 0, with other parameters or tensors',
    ],
    [
      'a part of one',
      () => {
        const outside = state(full([128], 5));
        return (x, i) => mul(x, view(outside, [2], 64 * i));
      },
      'binary, dispatch 0, with other parameters or tensors',
    ],
    [
      'the order of operands',
      () => {
        const w = state(full([2], 5));
        return (x, i) => (i ? sub(x, w) : sub(w, x));
      },
      'binary, dispatch 0, with other parameters or tensors',
    ],
    ['which of two is returned', () => (x, i) => [add(x, 1), add(x, 2)][i], 'other tensors as results'],
    ['a number beside a tensor', () => (x, i) => ({ y: add(x, 1), loss: i }), 'another value at result.loss'],
    ['a result beside others', () => (x, i) => ({ y: add(x, 1), ...(i && { loss: 1 }) }), 'result.loss besides'],
    [
      'which result has which name',
      () => (x, i) => {
        const [p, q] = [add(x, 1), add(x, 2)];
        return i ? { b: p, a: q } : { a: p, b: q };
      },
      'other tensors as results',
    ],
    [
      'a mask, where the first call makes gradients',
      () => {
        const p = parameter(tensor([2, 3]));
        return (x, i) => backward(sum(mul(mul(p, x), tensor([i, 1]))));
      },
      'upload 1, with other values',
    ],
    [
      'a draw that falls out alike',
      () => (x) => mul(x, tensor([Math.random() < 2 ? 1 : 0, 1])),
      'a call of Math.random',
    ],
    ['a draw beside the results', () => (x) => (Math.random() < 2 ? add(x, 1) : x), 'a call of Math.random'],
  ];

  it.each(changing)('refuses what changes on the host at the second call: %s', async (_, make, got) => {
    const device = await gpu();
    const { random } = Math;
    let i = 0;
    const f = on(device, () => {
      const fn = make();
      return compile((x: Tensor) => fn(x, i));
    });
    on(device, () => f(Float32Array.of(1, 2)));
    i = 1;
    const sentence =
      `compile: the function must do the same in every call, on other inputs; got ${got}. ` +
      `Pass what changes as an argument.`;
    expect(() => on(device, () => f(Float32Array.of(1, 2)))).toThrow(new ConfigError(sentence));
    expect(Math.random).toBe(random);
  });

  it('other operations in every call are refused at the fifth, having been right until then', async () => {
    const device = await gpu();
    let i = 0;
    const f = on(device, () => compile((x: Tensor) => Array.from({ length: ++i }).reduce<Tensor>((y) => add(y, 1), x)));
    for (let call = 1; call < 5; call++) expect(await on(device, () => array(f(Float32Array.of(0))))).toEqual([call]);
    expect(() => on(device, () => f(Float32Array.of(0)))).toThrow(
      /got \w+, dispatch \d+, with other parameters or tensors/,
    );
  });

  it('layers and state may be made in the first call, also of Math.random', async () => {
    const device = await gpu();
    let w: Tensor | undefined;
    let drawn = 0;
    const f = on(device, () => compile((x: Tensor) => mul(x, (w ??= state(tensor([(drawn = Math.random())]))))));
    for (let call = 1; call < 5; call++)
      expect(await on(device, () => array(f(Float32Array.of(call))))).toEqual([Math.fround(call * Math.fround(drawn))]);
  });

  it('a mask that is an argument makes every call equal the eager one to the bit', async () => {
    const device = await gpu();
    const run = (
      wrap: (fn: (x: Tensor, mask: Tensor) => Tensor) => (x: Float32Array, mask: Float32Array) => Tensor,
    ) => {
      const p = parameter(tensor([0.3, -2, 5]));
      const call = wrap((x, mask) => {
        const loss = sum(mul(exp(mul(p, x)), mask));
        backward(loss);
        return loss;
      });
      return { p, call };
    };
    const [eager, compiled] = on(device, () => [
      run(
        (fn) =>
          (...given) =>
            tidy(() => fn(tensor(given[0]), tensor(given[1]))),
      ),
      run((fn) => compile(fn)),
    ]);
    const rng = new Rng(3, 'mask');
    for (let i = 0; i < 6; i++) {
      const [x, mask] = [0, 1].map(() => Float32Array.from({ length: 3 }, () => rng.below(3)));
      const [a, b] = on(device, () => [eager.call(x, mask), compiled.call(x, mask)]);
      expect(await array(b)).toEqual(await array(a));
      expect(await array(compiled.p.grad!)).toEqual(await array(eager.p.grad!));
    }
  });

  it('training and evaluation may alternate from the first call on', async () => {
    const device = await gpu();
    const [plain, recorded] = on(device, () => [new BatchNorm(2), new BatchNorm(2)]);
    const work = (bn: BatchNorm) => (x: Tensor) => bn.call(mul(reshape(x, [2, 2]), tensor([bn.training ? 1 : 3])));
    const f = on(device, () => compile(work(recorded)));
    for (let i = 0; i < 8; i++) {
      for (const bn of [plain, recorded]) bn.train(i % 2 === 0);
      const x = Float32Array.of(i, 1, 2, 3);
      const [a, b] = on(device, () => [tidy(() => work(plain)(tensor(x))), f(x)]);
      expect(await array(b), `call ${i}`).toEqual(await array(a));
    }
    expect(recorded.numBatchesTracked.value).toBe(4);
  });

  it('a layer may be put into evaluation and back inside', async () => {
    const device = await gpu();
    const bn = on(device, () => new BatchNorm(2));
    let runs = 0;
    const f = on(device, () =>
      compile((x: Tensor) => {
        runs++;
        const y = bn.eval().call(reshape(x, [2, 2]));
        bn.train();
        return y;
      }),
    );
    for (let i = 0; i < 5; i++)
      expect(await on(device, () => array(f(Float32Array.of(i, 1, 2, 3))))).toEqual(
        await on(device, () => tidy(() => array(bn.eval().call(tensor([i, 1, 2, 3], [2, 2]))))),
      );
    expect([runs, bn.training]).toEqual([2, false]);
  });

  it('gives a gradient that was forgotten before each call anew', async () => {
    const device = await gpu();
    const p = on(device, () => parameter(tensor([2, 3])));
    const f = on(device, () => compile((x: Tensor) => backward(sum(mul(p, x)))));
    for (let i = 0; i < 6; i++) {
      p.grad = undefined;
      on(device, () => f(Float32Array.of(i, 1)));
      expect(await array(p.grad!)).toEqual([i, 1]);
    }
  });

  it('its results outlive a step around the call', async () => {
    const device = await gpu();
    const f = on(device, () => compile((x: Tensor) => add(x, 1)));
    for (let i = 0; i < 4; i++) {
      let y!: Tensor;
      on(device, () => tidy(() => void (y = f(Float32Array.of(i)))));
      on(device, () => tidy(() => full([1], 99)));
      expect(await array(y)).toEqual([i + 1]);
    }
  });

  it('is the plain function on the reference backend, and inside another', async () => {
    const inner = compile((x: Tensor) => mul(x, 2));
    const outer = compile((x: Tensor) => inner(add(x, 1)));
    for (const device of [reference, await gpu()])
      for (let i = 0; i < 3; i++) expect(await on(device, () => array(outer(Float32Array.of(i))))).toEqual([2 * i + 2]);
  });
});

describe('planMemory', () => {
  it('never gives one place to two that live at once, and holds each; near the least possible', () => {
    const rng = new Rng(3, 'lifetimes');
    for (let round = 0; round < 20; round++) {
      const items = Array.from({ length: 60 }, () => {
        const first = rng.below(40);
        return { size: 16 * (1 + rng.below(30)), first, last: first + rng.below(12) };
      });
      const { places, sizes } = planMemory(items);
      items.forEach((a, i) => {
        expect(sizes[places[i]]).toBeGreaterThanOrEqual(a.size);
        items.forEach(
          (b, j) => i !== j && places[i] === places[j] && expect(a.last < b.first || b.last < a.first).toBe(true),
        );
      });
      const least = Math.max(
        ...Array.from({ length: 60 }, (_, t) =>
          items.reduce((n, x) => n + (x.first <= t && t <= x.last ? x.size : 0), 0),
        ),
      );
      expect(mostAlive(items)).toBe(least);
      expect(sizes.reduce((a, b) => a + b)).toBeLessThan(1.5 * least);
    }
  });
});
