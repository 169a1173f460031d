import { expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { attention, attentionQkv } from '../../src/ops/attention.js';
import { cast } from '../../src/ops/cast.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { matmul } from '../../src/ops/matmul.js';
import { multipliedIn, type Precision, precisionOfF32, withPrecision } from '../../src/ops/precision.js';
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
])('f16 and f32-exact may be asked of %s by the call or around it, and gradients keep it', async (name, op) => {
  const device = await gpu();
  const asked: string[] = [];
  const watch = (make: () => Tensor) => {
    const real = device.run.bind(device);
    device.run = (primitive, buffers, params) => {
      const { half, exact = 0 } = params as unknown as { half: number; exact?: number };
      if (primitive.name.startsWith(name)) asked.push(half ? 'f16' : exact ? 'f32-exact' : 'f32');
      real(primitive, buffers, params);
    };
    on(device, () => tidy(() => backward(sum(make()))));
    delete (device as { run?: unknown }).run;
  };
  watch(() => op());
  watch(() => op('f16'));
  watch(() => withPrecision('f16', op));
  watch(() => op('f32-exact'));
  watch(() => withPrecision('f32-exact', op));
  const thrice = (p: Precision) => [p, p, p];
  expect(asked).toEqual([
    ...thrice('f32'),
    ...thrice('f16'),
    ...thrice('f16'),
    ...thrice('f32-exact'),
    ...thrice('f32-exact'),
  ]);
});

it('what must be f32 is so within f16, and exact within f32-exact', () => {
  const within = (p: Precision) => withPrecision(p, () => precisionOfF32());
  expect((['f16', 'f32', 'f32-exact'] as const).map(within)).toEqual(['f32', 'f32', 'f32-exact']);
});

it('people are told how matrices are multiplied', async () => {
  const device = await gpu();
  const card = { ...device, f16: true, traits: { ...device.traits, f32Matrices: 4e-5 } } as unknown as Backend;
  const told = (on: Backend) => (['f32', 'f32-exact', 'f16'] as const).map((p) => multipliedIn(p, on));
  expect(told(card)).toEqual(['f32 as two f16 each on matrices', 'f32', 'f16, summed in f32']);
  expect(told(reference)).toEqual(['f32', 'f32', 'f16, summed in f32']);
  expect(told({ ...card, f16: false, traits: device.traits } as unknown as Backend)).toEqual(['f32', 'f32', 'f32']);
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
