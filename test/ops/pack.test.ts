import { expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.js';
import { ConfigError, DTypeError } from '../../src/core/errors.js';
import { add } from '../../src/ops/binary.js';
import { pack, unpack } from '../../src/ops/pack.js';
import { parameter, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference } from '../support/devices.js';

it.each(['gpu', 'reference'] as const)(
  'tensors by name come back by name in one read, without history: %s',
  async (kind) => {
    const device = kind === 'gpu' ? await gpu() : reference;
    const step = on(device, () =>
      compile(({ x }: { x: Tensor }) => pack({ sum: add(x, x), none: undefined as Tensor | undefined, x })),
    );
    for (let i = 0; i < 4; i++) {
      const { sum, none, x } = await on(device, () => unpack(step({ x: Float32Array.of(i, 1, 2) })));
      expect([Array.from(sum), none, Array.from(x)]).toEqual([[2 * i, 2, 4], undefined, [i, 1, 2]]);
    }
    const { values } = on(device, () => pack({ p: parameter(tensor([[1], [2]])) }));
    expect([values.requiresGrad, values.node, values.shape]).toEqual([false, undefined, [2]]);
  },
);

it('refuses what is no object of tensors', () => {
  on(reference, () => {
    expect(() => pack(tensor([1]) as never)).toThrow(ConfigError);
    expect(() => pack({ loss: 1 } as never)).toThrow(
      new DTypeError('pack: loss must be a tensor; got 1. Make one with tensor().'),
    );
  });
});
