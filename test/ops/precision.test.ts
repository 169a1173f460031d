import { expect, it } from 'vitest';
import { attention, attentionQkv } from '../../src/ops/attention.js';
import { cast } from '../../src/ops/cast.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { matmul } from '../../src/ops/matmul.js';
import { type Precision, withPrecision } from '../../src/ops/precision.js';
import { sum } from '../../src/ops/reduce.js';
import { backward } from '../../src/tensor/autograd.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { gpu, on, reference } from '../support/devices.js';

const product = (precision?: Precision) =>
  matmul(parameter(tensor([1, 2], [1, 2])), parameter(tensor([3, 4], [2, 1])), { precision });
const convolution = (precision?: Precision) =>
  conv2d(parameter(tensor([1, 2], [1, 1, 2, 1])), parameter(tensor([3], [1, 1, 1, 1])), { precision, stride: 2 });

it.each([
  ['matmul', product],
  ['conv2d', convolution],
])('f16 may be asked of %s by the call or around it, and gradients keep it', async (name, op) => {
  const device = await gpu();
  const halves: number[] = [];
  const watch = (make: () => Tensor) => {
    const real = device.run.bind(device);
    device.run = (primitive, buffers, params) => {
      if (primitive.name.startsWith(name)) halves.push((params as { half: number }).half);
      real(primitive, buffers, params);
    };
    on(device, () => tidy(() => backward(sum(make()))));
    delete (device as { run?: unknown }).run;
  };
  watch(() => op());
  watch(() => op('f16'));
  watch(() => withPrecision('f16', op));
  expect(halves).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1]);
});

it('attention has it from around it or from halves that it is given, and so has its gradient', () => {
  const halves: unknown[] = [];
  const real = reference.run.bind(reference);
  reference.run = (primitive, buffers, params) => {
    if (primitive.name.startsWith('attention')) halves.push((params as { half: number }).half);
    real(primitive, buffers, params);
  };
  const x = () => parameter(tensor([1, 2, 3, 4, 5, 6], [1, 2, 3]));
  const three = (make: () => Tensor) => [1, 2, 3].map(make) as [Tensor, Tensor, Tensor];
  const each = [
    () => attentionQkv(x()),
    () => attention(...three(x)),
    () => withPrecision('f16', () => attentionQkv(x())),
    () => withPrecision('f16', () => attention(...three(x))),
    () => attentionQkv(cast(x(), 'f16')),
    () => attention(...three(() => cast(x(), 'f16'))),
  ];
  on(reference, () => tidy(() => each.forEach((make) => void backward(sum(make())))));
  delete (reference as { run?: unknown }).run;
  expect(halves).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
});
