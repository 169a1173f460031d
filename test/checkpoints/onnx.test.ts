import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { buildEncoder, encoderOf } from '../../src/checkpoints/encoder.js';
import { moduleTensors } from '../../src/checkpoints/module-state.js';
import { onnxFolder } from '../../src/checkpoints/onnx.js';
import { Rng } from '../../src/core/rng.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.js';
import { ResNet, type ResNetOptions } from '../../src/nn/resnet.js';
import { VisionTransformer, type VisionTransformerOptions } from '../../src/nn/vit.js';
import { noGrad } from '../../src/tensor/autograd.js';
import { tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { on, reference } from '../support/devices.js';
import { assertClose } from '../support/op.js';

ort.env.wasm.numThreads = 1;

const networks: [string, ResNetOptions][] = [
  ['basic blocks, small stem', { blocks: [2, 1], widths: [4, 6], stem: 'small', head: 'mlp', dim: 5 }],
  ['basic blocks, CIFAR stem', { blocks: [1, 2], widths: [3, 5], stem: 'cifar', head: 'linear', dim: 7 }],
  ['bottlenecks, ImageNet stem', { blocks: [2, 1], widths: [2, 3], bottleneck: true, stem: 'imagenet', head: 'none' }],
];

/** A network whose statistics are not those it was made with, as checkpoint tensors behind `prefix`. */
async function trained(options: ResNetOptions, prefix: string) {
  const rng = new Rng(5, 'statistics');
  const tensors = await on(reference, () => moduleTensors(new ResNet({ ...options, seed: 2 })));
  for (const [name, { data }] of tensors)
    if (/running_var|(bn\d|downsample\.1)\.weight/.test(name))
      data.forEach((_, i) => (data[i] = rng.uniform(0.5, 1.5)));
    else if (/running_mean|(bn\d|downsample\.1)\.bias/.test(name)) data.forEach((_, i) => (data[i] = rng.normal()));
  return new Map([...tensors].map(([name, t]) => [prefix + name, t]));
}

describe('ONNX in onnxruntime', () => {
  it.each(networks)('%s: features as ours, to 1e-4', async (_, options) => {
    const weights = decodeSafetensors(encodeSafetensors(await trained(options, 'encoder_q.')), 'x');
    const file = encoderOf(weights, 'x');
    expect(file.architecture).toMatchObject(options);
    const [N, H, W] = [2, 18, 21];
    const rng = new Rng(1, 'pictures');
    const nhwc = Float32Array.from({ length: N * H * W * 3 }, () => rng.normal());
    const nchw = nhwc.map(
      (_, i) => nhwc[(Math.floor(i / (3 * H * W)) * H * W + (i % (H * W))) * 3 + (Math.floor(i / (H * W)) % 3)],
    );
    const want = await on(reference, () =>
      tidy(() => noGrad(() => buildEncoder(file, 'x').embed(tensor(nhwc, [N, H, W, 3]))).data()),
    );
    const session = await ort.InferenceSession.create(onnxFolder(file).get('onnx/model.onnx') as Uint8Array);
    expect([session.inputNames, session.outputNames]).toEqual([
      ['pixel_values'],
      ['last_hidden_state', 'pooler_output'],
    ]);
    const { pooler_output: got, last_hidden_state: map } = await session.run({
      pixel_values: new ort.Tensor('float32', nchw, [N, 3, H, W]),
    });
    expect(got.dims).toEqual([N, want.length / N]);
    expect(map.dims.slice(0, 2)).toEqual(got.dims);
    assertClose('features', got.data as Float32Array, want, { relative: 1e-4, absolute: 0 });
  });

  it.each<[string, VisionTransformerOptions]>([
    ['patches', { width: 64, depth: 2, heads: 4, patch: 4, size: 12, head: 'linear', dim: 3 }],
    ['a stem of convolutions', { width: 192, depth: 1, heads: 12, patch: 8, size: 16, stem: 'conv', head: 'none' }],
  ])('a vision transformer with %s: features as ours, to 1e-4', async (_, options) => {
    const rng = new Rng(6, 'pictures');
    const tensors = await on(reference, () => moduleTensors(new VisionTransformer({ ...options, seed: 3 })));
    for (const [name, { data }] of tensors)
      if (/running_var|norm\d?\.weight|proj\.\d\.weight/.test(name))
        data.forEach((v, i) => (data[i] = Number(v) * rng.uniform(0.5, 1.5)));
      else if (/running_mean|bias/.test(name)) data.forEach((_, i) => (data[i] = 0.3 * rng.normal()));
    const file = encoderOf(
      decodeSafetensors(encodeSafetensors(new Map([...tensors].map(([name, t]) => [`base_encoder.${name}`, t]))), 'x'),
      'x',
    );
    const { width, depth, heads, patch, size, stem = 'patch' } = options as Required<VisionTransformerOptions>;
    expect(file.architecture).toEqual({ width, depth, heads, patch, size, stem });
    const N = 2;
    const nhwc = Float32Array.from({ length: N * size * size * 3 }, () => rng.normal());
    const pixels = size * size;
    const nchw = nhwc.map(
      (_, i) => nhwc[(Math.floor(i / (3 * pixels)) * pixels + (i % pixels)) * 3 + (Math.floor(i / pixels) % 3)],
    );
    const want = await on(reference, () =>
      tidy(() => noGrad(() => buildEncoder(file, 'x').embed(tensor(nhwc, [N, size, size, 3]))).data()),
    );
    const session = await ort.InferenceSession.create(onnxFolder(file).get('onnx/model.onnx') as Uint8Array);
    const { pooler_output: got, last_hidden_state: tokens } = await session.run({
      pixel_values: new ort.Tensor('float32', nchw, [N, 3, size, size]),
    });
    expect([got.dims, tokens.dims]).toEqual([
      [N, width],
      [N, (size / patch) ** 2 + 1, width],
    ]);
    assertClose('features', got.data as Float32Array, want, { relative: 1e-4, absolute: 1e-6 });
  });
});
