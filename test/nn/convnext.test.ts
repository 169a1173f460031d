import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { onShapes } from '../../src/backend/shapes.js';
import { configIn } from '../../src/checkpoints/convert.js';
import { buildEncoder, encoderOf } from '../../src/checkpoints/encoder.js';
import { torchShape } from '../../src/checkpoints/module-state.js';
import { onnxFolder } from '../../src/checkpoints/onnx.js';
import { Rng } from '../../src/core/rng.js';
import { numel } from '../../src/core/shape.js';
import type { StoredTensor } from '../../src/io/safetensors.js';
import { demoConfig } from '../../src/moco/config.js';
import { MoCo } from '../../src/moco/moco.js';
import { ConvNeXt, convnext } from '../../src/nn/convnext.js';
import { buildModel } from '../../src/nn/models.js';
import type { Module } from '../../src/nn/module.js';
import { summary } from '../../src/nn/summary.js';
import { mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { optimizerOf } from '../../src/optim/optimizer-of.js';
import { backward, noGrad } from '../../src/tensor/autograd.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';

ort.env.wasm.numThreads = 1;

const small = { widths: [4, 8], depths: [1, 2], dim: 3 };
const normals = (seed: string, count: number, std = 1) => {
  const rng = new Rng(1, seed);
  return Float32Array.from({ length: count }, () => std * rng.normal());
};

/** Names and shapes of torchvision's, from their description and nothing else. */
function torchvision(widths: number[], depths: number[], classes: number): Map<string, number[]> {
  const named = new Map<string, number[]>();
  const pair = (name: string, weight: number[]) => named.set(`${name}.weight`, weight).set(`${name}.bias`, [weight[0]]);
  widths.forEach((C, stage) => {
    const before = `features.${2 * stage}`;
    pair(`${before}.${stage === 0 ? 0 : 1}`, stage === 0 ? [C, 3, 4, 4] : [C, widths[stage - 1], 2, 2]);
    pair(`${before}.${stage === 0 ? 1 : 0}`, [stage === 0 ? C : widths[stage - 1]]);
    for (let i = 0; i < depths[stage]; i++) {
      const at = `features.${2 * stage + 1}.${i}`;
      pair(`${at}.block.0`, [C, 1, 7, 7]);
      pair(`${at}.block.2`, [C]);
      pair(`${at}.block.3`, [4 * C, C]);
      pair(`${at}.block.5`, [C, 4 * C]);
      named.set(`${at}.layer_scale`, [C, 1, 1]);
    }
  });
  pair('classifier.0', [widths.at(-1)!]);
  return pair('classifier.2', [classes, widths.at(-1)!]);
}

/** A state dict as torchvision saves it, of random values. */
const stateDict = (): Map<string, StoredTensor> =>
  new Map(
    [...torchvision(small.widths, small.depths, small.dim)].map(([name, shape]) => [
      name,
      { dtype: 'F32', shape, data: normals(name, numel(shape), 0.3) },
    ]),
  );

const namesOf = (model: Module) =>
  [...model.entries()].map((e) => [e.name, 'tensor' in e ? torchShape(e.tensor.shape) : []]);
const open = (tensors: Map<string, StoredTensor>) => encoderOf({ tensors, metadata: {} }, 'x');

/** A model whose values are large enough to be seen, unlike a layer scale of 1e-6. */
function shaken(options = small): ConvNeXt {
  const model = new ConvNeXt(options);
  for (const [name, p] of model.parameters()) p.set(normals(name, p.size, 0.3));
  return model;
}

/** x Φ(x), Φ by Simpson's rule. */
function gelu(x: number): number {
  const steps = 400;
  let area = 0;
  for (let i = 0; i <= steps; i++)
    area += (i === 0 || i === steps ? 1 : i % 2 ? 4 : 2) * Math.exp(-(((x * i) / steps) ** 2) / 2);
  return x * (0.5 + (area * x) / steps / 3 / Math.sqrt(2 * Math.PI));
}

/** A block of one picture [H, W, C], in plain loops over torchvision's tensors. */
function block(x: number[], [H, W, C]: number[], at: string, t: Map<string, StoredTensor>): number[] {
  const of = (name: string) => t.get(`${at}.${name}`)!.data as Float32Array;
  const out = [...x];
  for (let h = 0; h < H; h++)
    for (let w = 0; w < W; w++) {
      const y = Array.from({ length: C }, (_, c) => {
        let a = of('block.0.bias')[c];
        for (let r = 0; r < 7; r++)
          for (let s = 0; s < 7; s++) {
            const [i, j] = [h + r - 3, w + s - 3];
            if (i >= 0 && j >= 0 && i < H && j < W)
              a += x[(i * W + j) * C + c] * of('block.0.weight')[(c * 7 + r) * 7 + s];
          }
        return a;
      });
      const mean = y.reduce((a, b) => a + b) / C;
      const deviation = Math.sqrt(y.reduce((a, b) => a + (b - mean) ** 2, 0) / C + 1e-6);
      const normed = y.map((v, c) => ((v - mean) / deviation) * of('block.2.weight')[c] + of('block.2.bias')[c]);
      const linear = (v: number[], name: string) =>
        Array.from(of(`${name}.bias`), (b, o) =>
          v.reduce((a, u, i) => a + u * of(`${name}.weight`)[o * v.length + i], b),
        );
      const branch = linear(linear(normed, 'block.3').map(gelu), 'block.5');
      branch.forEach((v, c) => (out[(h * W + w) * C + c] += of('layer_scale')[c] * v));
    }
  return out;
}

describe('ConvNeXt is torchvision’s', () => {
  it('tiny: 28,589,128 values under its names and shapes', () => {
    const model = onShapes(() => convnext('convnext-tiny', { dim: 1000 }));
    expect(namesOf(model).sort()).toEqual([...torchvision([96, 192, 384, 768], [3, 3, 9, 3], 1000)].sort());
    expect([...model.parameters().values()].reduce((n, p) => n + p.size, 0)).toBe(28_589_128);
    expect(onShapes(() => summary(model, [1, 32, 32, 3]))).toMatchObject({ parameters: 28_589_128, output: [1, 1000] });
  });

  it('a block computes what plain loops do, in f64', async () => {
    const tensors = stateDict();
    const [H, W, C] = [5, 4, 4];
    const x = normals('x', H * W * C);
    const got = await on(reference64, () => {
      const model = buildEncoder(open(tensors), 'x');
      const [, stage] = model.children()[0][1].children()[1];
      return tidy(() => noGrad(() => stage.call(tensor(x, [1, H, W, C]))).data());
    });
    assertClose('block', got, block([...x], [H, W, C], 'features.1.0', tensors), { relative: 1e-9, absolute: 1e-9 });
  });

  it('gradients are finite differences’, in f64', async () => {
    const [x, G] = [normals('x', 16 * 16 * 3), normals('G', 3)];
    await on(reference64, async () => {
      // which holds until the first await
      const model = shaken();
      const loss = () => sum(mul(model.call(tensor(x, [1, 16, 16, 3])), tensor(G, [1, 3])));
      const value = async () => (await on(reference64, () => tidy(() => noGrad(loss).data())))[0];
      const grads = tidy(() => {
        backward(loss());
        return [...model.parameters()].map(([name, p]) => ({ name, p, grad: p.grad!.data() }));
      });
      for (const { name, p, grad } of grads) {
        const [at, values, step] = [p.size >> 1, Array.from(await p.data()), 2 ** -10]; // exact in f32
        const moved = async (by: number) => (
          p.set(Float32Array.from(values, (v, i) => v + (i === at ? by : 0))), value()
        );
        const [up, down] = [await moved(step), await moved(-step)];
        p.set(Float32Array.from(values));
        const [a, b] = [values[at] + step, values[at] - step].map(Math.fround);
        assertClose(name, [(await grad)[at]], [(up - down) / (a - b)], { relative: 1e-3, absolute: 1e-5 });
      }
    });
  });

  it('kernels give the reference’s output and gradients', async () => {
    const evaluate = async (backend: Backend) =>
      new Map(
        await Promise.all(
          on(backend, () => {
            const model = shaken();
            return tidy(() => {
              const y = model.call(tensor(normals('x', 2 * 16 * 16 * 3), [2, 16, 16, 3]));
              backward(sum(mul(y, tensor(normals('G', y.size), y.shape))));
              const named: [string, Tensor][] = [
                ['output', y],
                ...[...model.parameters()].map(([name, p]): [string, Tensor] => [name, p.grad!]),
              ];
              return named.map(async ([name, t]) => [name, await t.data()] as const);
            });
          }),
        ),
      );
    const [got, want] = [await evaluate(await gpu()), await evaluate(reference64)];
    for (const [name, values] of want) assertClose(name, got.get(name)!, values, { relative: 5e-5, absolute: 1e-5 });
  });
});

describe('files of ConvNeXts', () => {
  it('are recognised, and refused with a tensor that has no place', () => {
    expect(open(stateDict())).toMatchObject({
      architecture: { widths: [4, 8], depths: [1, 2], head: 'linear', dim: 3 },
      normalisation: { size: 224 },
    });
    const more = stateDict().set('features.1.0.block.7.weight', {
      dtype: 'F32',
      shape: [4],
      data: new Float32Array(4),
    });
    expect(() => open(more)).toThrow(
      'x: every tensor of its encoder must be used; got features.1.0.block.7.weight [4]',
    );
    const less = stateDict();
    less.delete('classifier.0.bias');
    expect(() => open(less)).toThrow('got none named classifier.0.bias');
    expect(() => configIn({ tensors: stateDict(), metadata: {} }, 'x')).toThrow('got another model');
  });

  it('ONNX: features as ours, to 1e-4', async () => {
    const file = open(stateDict());
    const [H, W] = [18, 17];
    const nhwc = normals('pictures', 2 * H * W * 3);
    const plane = H * W;
    const nchw = nhwc.map(
      (_, i) => nhwc[(Math.floor(i / (3 * plane)) * plane + (i % plane)) * 3 + (Math.floor(i / plane) % 3)],
    );
    const want = await on(reference, () =>
      tidy(() => noGrad(() => buildEncoder(file, 'x').embed(tensor(nhwc, [2, H, W, 3]))).data()),
    );
    const session = await ort.InferenceSession.create(onnxFolder(file).get('onnx/model.onnx') as Uint8Array);
    const { pooler_output: got, last_hidden_state: map } = await session.run({
      pixel_values: new ort.Tensor('float32', nchw, [2, 3, H, W]),
    });
    expect([got.dims, map.dims]).toEqual([
      [2, 8],
      [2, 8, 2, 2],
    ]);
    assertClose('features', got.data as Float32Array, want, { relative: 1e-4, absolute: 1e-6 });
  });
});

describe('a ConvNeXt is trained as others are', () => {
  it('by name, with the options of any model', () => {
    const model = onShapes(() =>
      buildModel('convnext-tiny', { head: 'mlp', dim: 16, size: 32, stem: 'cifar', splits: 2 }),
    );
    expect([model.features, model.parameters().get('classifier.2.2.weight')?.shape]).toEqual([768, [16, 768]]);
    expect(() => new ConvNeXt({ widths: [4], depths: [1, 1] })).toThrow(
      'ConvNeXt: depths and widths must be lists of one length above 0',
    );
    expect(() => onShapes(() => model.call(tensor(new Float32Array(300), [1, 10, 10, 3])))).toThrow(
      'at least 32; got [1, 10, 10, 3]',
    );
  });

  it('MoCo v2 trains it two steps', async () => {
    const [K, dim] = [4, 3];
    const method = on(
      reference,
      () =>
        new MoCo(() => new ConvNeXt({ ...small, head: 'mlp' }), {
          K,
          dim,
          T: 0.2,
          symmetric: false,
          seed: 1,
          optimizer: (p) => optimizerOf(demoConfig, p),
        }),
    );
    const weight = [...method.saved()].flatMap((s) =>
      'model' in s ? [s.model.parameters().get('features.3.1.layer_scale')] : [],
    )[0]!;
    const before = [...(await weight.data())];
    const orders = () => ({
      index: tensor([0, 1], [2], 'u32'),
      shuffle: tensor([1, 0], [2], 'u32'),
      unshuffle: tensor([1, 0], [2], 'u32'),
      negatives: tensor([0], [1], 'u32'),
    });
    for (let step = 0; step < 2; step++) {
      const view = (name: string) => tensor(normals(`${name}${step}`, 2 * 8 * 8 * 3), [2, 8, 8, 3]);
      const [loss] = await on(reference, () =>
        tidy(() =>
          method.step([{ x1: view('a'), x2: view('b'), ...orders() }], { lr: tensor([0.1]), m: tensor([0.9]) }).data(),
        ),
      );
      expect(loss).toBeGreaterThan(0);
    }
    expect([...(await weight.data())].filter((v, i) => v !== before[i]).length).toBe(8);
  });
});
