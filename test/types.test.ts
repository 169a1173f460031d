import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { type Backend, useBackend } from '../src/backend/backend.js';
import { compile, crossEntropy, gather, HostArray, pick, reshape, type Tensor, tensor } from '../src/index.js';
import { normalizePictures } from '../src/ops/augment.js';
import { reference } from './support/devices.js';

let before: Backend | undefined;
beforeAll(() => {
  before = useBackend(reference);
});
afterAll(() => void useBackend(before));

/** `npm run typecheck` reads this: a line under @ts-expect-error that compiles is an error. */
describe('what the compiler knows of element types', () => {
  it('comes from the list that a tensor is made of', () => {
    expectTypeOf(tensor([1, 2])).toEqualTypeOf<Tensor<'f32'>>();
    expectTypeOf(tensor(Uint32Array.of(1))).toEqualTypeOf<Tensor<'u32'>>();
    expectTypeOf(tensor(Uint8Array.of(1), [1])).toEqualTypeOf<Tensor<'u8'>>();
    expectTypeOf(tensor([1, 2], [2], 'u32')).toEqualTypeOf<Tensor<'u32'>>();
    expectTypeOf(tensor([1, 2], { dtype: 'u32' })).toEqualTypeOf<Tensor<'u32'>>();
    expectTypeOf(tensor([1, 2], { shape: [2] })).toEqualTypeOf<Tensor<'f32'>>();
  });

  it('finds labels and indices that are floats, and pictures that are not bytes', () => {
    const logits = tensor([1, 2, 3, 4], [2, 2]);
    const colours = { mean: [0, 0, 0], std: [1, 1, 1] };
    const wrong = [
      // @ts-expect-error labels are u32, and a list of numbers is f32
      () => crossEntropy(logits, tensor([0, 1])),
      // @ts-expect-error an index is u32
      () => gather(logits, tensor(Int32Array.of(0))),
      // @ts-expect-error so is a column
      () => pick(logits, tensor(new Float32Array(2))),
      // @ts-expect-error pictures are u8
      () => normalizePictures(tensor(new Float32Array(3), [1, 1, 1, 3]), tensor(Uint32Array.of(0)), colours),
    ];
    for (const call of wrong) expect(call).toThrow(/must be u(32|8); got/);
  });

  it('holds a call of a compiled function to the tree that it takes', async () => {
    const f = compile(({ x, parts }: { x: Tensor; parts: { y?: Tensor }[] }) => ({ z: x, n: parts.length }));
    expectTypeOf(f({ x: 1, parts: [{ y: new HostArray([1], [1]) }] })).toEqualTypeOf<{ z: Tensor; n: number }>();
    // @ts-expect-error x is missing
    expect(() => f({ parts: [{ y: 1 }] })).toThrow('got nothing at inputs.x');
    // @ts-expect-error y is a tensor, and so is its input
    expect(() => f({ x: 1, parts: [{ y: 'a' }] })).toThrow("got 'a' at inputs.parts[0].y");
  });

  it('lets pass what it does not know', () => {
    const labels: Tensor = tensor(Uint32Array.of(0, 1));
    expect(crossEntropy(tensor([1, 2, 3, 4], [2, 2]), labels).shape).toEqual([]);
    expect(crossEntropy(tensor([1, 2, 3, 4], [2, 2]), reshape(labels, [2])).shape).toEqual([]);
  });
});
