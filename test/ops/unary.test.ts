import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clamp, exp, gelu, log, neg, relu, sigmoid, sqrt, tanh } from '../../src/ops/unary.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on } from '../support/devices.js';
import { checkOp, uglySize } from '../support/op.js';

const shapes = fc.array(uglySize, { maxLength: 3 });

describe('unary', () => {
  // relu and clamp bend at 0 and ±1: values keep away from the bend, where a difference quotient means nothing
  const away = (r: { normal(): number }) => ((v) => v + 0.01 * Math.sign(v))(r.normal());
  it.each([
    ['neg', neg],
    ['exp', exp],
    ['gelu', gelu],
    ['tanh', tanh],
    ['sigmoid', sigmoid],
    ['relu', relu],
  ] as const)('%s: GPU = mirror, gradients', (_, f) =>
    checkOp(shapes, (shape) => ({ inputs: [{ shape, values: away }], f })),
  );

  it.each([
    ['log', log],
    ['sqrt', sqrt],
  ] as const)('%s: GPU = mirror, gradients', (_, f) =>
    checkOp(shapes, (shape) => ({ inputs: [{ shape, values: (r) => r.uniform(0.1, 3) }], f })),
  );

  it('many workgroups, in fours and not', () =>
    checkOp(fc.constantFrom([1031], [1028], [6, 520]), (shape) => ({ inputs: [{ shape }], f: (x) => gelu(x) }), {}, 4));

  it('clamp: GPU = mirror, gradients', () =>
    checkOp(shapes, (shape) => ({
      inputs: [{ shape, values: (r) => r.uniform(-0.95, 0.95) * (r.uniform() < 0.5 ? 1 : 3) }],
      f: (x) => clamp(x, -1, 1),
    })));

  it('tanh stays finite for large arguments', async () => {
    const y = on(await gpu(), () => tanh(tensor([-1e30, -50, 50, 1e30])).data());
    expect(Array.from(await y)).toEqual([-1, -1, 1, 1]);
  });
});
