import type { Backend, Primitive, Storage } from '../backend/backend.js';
import { context, within } from '../backend/context.js';
import { DeviceError } from '../core/errors.js';
import type { Tensor } from './tensor.js';

/** Sees operations in place of their computation. */
export interface Observer {
  /** Where new tensors are made. */
  readonly backend: Backend;
  run<P extends object>(
    primitive: Primitive<P>,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    params: P,
  ): void;
}

declare module '../backend/context.js' {
  interface Context {
    observer?: Observer;
  }
}

/** Runs `fn` while `by` sees every primitive, which is not computed. */
export const observe = <T>(by: Observer, fn: () => T): T => within({ observer: by }, fn);

/** Runs a primitive on tensors: `outputs` are written, `inputs` only read. */
export function run<P extends object>(
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  params: P,
): void {
  if (context.observer) return context.observer.run(primitive, inputs, outputs, params);
  const on = (outputs[0] ?? inputs[0]).backend;
  const buffers: Storage[] = [];
  for (const t of inputs) buffers.push(t.storage);
  for (const t of outputs) buffers.push(t.storage);
  for (const t of inputs)
    if (t.backend !== on)
      throw new DeviceError(
        `${primitive.name}: its tensors must share a backend; got ${t.backend.name} and ${on.name}. ` +
          `Make them on the same one.`,
      );
  on.run(primitive, buffers, params);
}

/** `run` with one output, which it returns. */
export function runTo<P extends object>(
  y: Tensor,
  primitive: Primitive<P>,
  inputs: readonly Tensor[],
  params: P,
): Tensor {
  run(primitive, inputs, [y], params);
  return y;
}
