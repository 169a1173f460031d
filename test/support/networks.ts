import { onShapes } from '../../src/backend/shapes.js';
import { torchShape } from '../../src/checkpoints/module-state.js';
import { Rng } from '../../src/core/rng.js';
import type { StoredTensor } from '../../src/io/safetensors.js';
import { ResNet, type ResNetOptions } from '../../src/nn/resnet.js';
import { VisionTransformer, type VisionTransformerOptions } from '../../src/nn/vit.js';

const isTransformer = (options: ResNetOptions | VisionTransformerOptions): options is VisionTransformerOptions =>
  'depth' in options;

/** Names and shapes of a network's tensors, as PyTorch has them. */
export function sizesOf(options: ResNetOptions | VisionTransformerOptions): Map<string, { shape: number[] }> {
  const model = onShapes(() => (isTransformer(options) ? new VisionTransformer(options) : new ResNet(options)));
  return new Map(
    [...model.entries()].map((e) => [e.name, { shape: 'counter' in e ? [] : torchShape(e.tensor.shape) }]),
  );
}

/** A tensor of small random floats. */
export function floats(shape: number[], seed = 1): StoredTensor {
  const rng = new Rng(seed, shape.join());
  return {
    dtype: 'F32',
    shape,
    data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => rng.uniform(-0.1, 0.1)),
  };
}

/** A network's tensors, of random values, as a file holds them. */
export const networkOf = (options: ResNetOptions | VisionTransformerOptions): Map<string, StoredTensor> =>
  new Map(
    [...sizesOf(options)].map(([name, { shape }]) => [
      name,
      name.endsWith('num_batches_tracked')
        ? { dtype: 'I64', shape, data: BigInt64Array.of(0n) }
        : floats(shape, name.length),
    ]),
  );
