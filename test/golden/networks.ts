import type { Backend } from '../../src/backend/backend.js';
import { setStored, storeTensor } from '../../src/checkpoints/module-state.js';
import type { Module } from '../../src/nn/module.js';
import { ResNet } from '../../src/nn/resnet.js';
import { VisionTransformer } from '../../src/nn/vit.js';
import { mul } from '../../src/ops/binary.js';
import { type Precision, withPrecision } from '../../src/ops/precision.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { on } from '../support/devices.js';
import type { Network } from './cases.js';
import { cases, type Items } from './golden.js';
import { even, initialOf, pictures } from './values.js';

function build(c: Network): Module {
  if (c.kind === 'resnet') {
    const { blocks, widths, bottleneck, stem } = c;
    return new ResNet({ blocks, widths, bottleneck, stem, head: 'none', seed: 1 });
  }
  const { width, depth, heads, patch, size } = c;
  return new VisionTransformer({ width, depth, heads, patch, size, head: 'none', stopGradConv1: false, seed: 1 });
}

/** Features of a training batch, running statistics after it and, with `gradients`, those of sum(G · features). */
export async function features(
  backend: Backend,
  name: string,
  { gradients = true, precision = 'f32' as Precision } = {},
): Promise<Items> {
  const [c, items, read]: [Cases[string], Items, [string, Tensor][]] = [cases.features[name], new Map(), []];
  const model = on(backend, () => build(c).train());
  for (const e of model.entries())
    if ('tensor' in e && !e.name.endsWith('pos_embed')) setStored(e.tensor, initialOf(e.name, e.tensor));
  const y = on(backend, () =>
    tidy(() =>
      withPrecision(precision, () => {
        const y = model.call(pictures(`features/${name}/x`, c.N, c.size));
        if (gradients) backward(sum(mul(y, tensor(even(`features/${name}/G`, y.shape), y.shape))));
        return y;
      }),
    ),
  );
  read.push(['y', y]);
  for (const e of model.entries()) {
    if (!('tensor' in e)) continue;
    if (e.name.includes('running_')) read.push([`after/${e.name}`, e.tensor]);
    else if (e.tensor.grad) read.push([`grad/${e.name}`, e.tensor.grad]);
  }
  for (const [item, t] of read) items.set(`features/${name}/${item}`, (await storeTensor(t)).data as Float32Array);
  return items;
}

type Cases = typeof cases.features;
