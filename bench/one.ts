import type { Shape } from '../src/core/shape.js';
import { state, type Tensor, tensor } from '../src/tensor/tensor.js';
import type { Case, Loose } from './record.js';
import { values } from './values.js';

/**
 * How each library computes one result from arrays of the same shapes. tfjs and jax-js get arrays of their own kind.
 */
export interface One {
  readonly label: string;
  readonly bytes: number;
  readonly shapes: readonly Shape[];
  readonly ours: (...x: Tensor[]) => Tensor;
  readonly tfjs?: (tf: Loose, ...x: Loose[]) => Loose;
  readonly jax?: (jax: Loose, ...x: Loose[]) => Loose;
  /** The same on a smaller shape, for the mirror. */
  readonly small?: () => One;
}

/** A case of an operation that is one call in every library. */
export function oneCall({ label, bytes, shapes, ours, tfjs, jax, small }: One): Case {
  return {
    label,
    bytes,
    ours: () => {
      const x = shapes.map((shape, i) => state(tensor(values(shape, i + 1), shape)));
      return () => [ours(...x)];
    },
    tfjs:
      tfjs &&
      ((tf) => {
        const x = shapes.map((shape, i) => tf.tensor(values(shape, i + 1), [...shape]));
        return () => [tfjs(tf, ...x)];
      }),
    jax:
      jax &&
      ((lib) => {
        const x = shapes.map((shape, i) => lib.numpy.array(values(shape, i + 1)).reshape([...shape]));
        const f = lib.jit((...args: Loose[]) => jax(lib, ...args));
        return () => [f(...x.map((a) => a.ref))];
      }),
    small: small && (() => oneCall(small())),
  };
}
