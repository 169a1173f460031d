import { empty, type Tensor } from '../src/tensor/tensor.js';

/** The gradients of the inputs of the operation that made y, all or the one at place `only`, in new memory. */
export function gradientsOf(y: Tensor, dy: Tensor, only?: number): Tensor[] {
  const { inputs, rule } = y.node!;
  const made = rule(
    dy,
    inputs.map((x, i) => (only === undefined || only === i ? () => empty(x.shape, x.dtype, x.backend) : undefined)),
  );
  return made.filter((d, i) => d !== undefined && (only === undefined || only === i)) as Tensor[];
}
