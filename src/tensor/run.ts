import type { Backend, Primitive, Storage } from '../backend/backend.js';
import { context, within } from '../backend/context.js';
import { ConfigError, DeviceError } from '../core/errors.js';
import { noteWrite } from './replay.js';
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
    /** The gradient rule that runs now. */
    rule?: RunningRule;
  }
}

/** Of a gradient rule that runs: which writes to memory lie between its operation and this `backward`. */
export interface RunningRule {
  readonly name: string;
  /** The last write before its operation was recorded, and before this `backward`. */
  readonly recorded: number;
  readonly began: number;
  /** The gradient that it is given, which may have been made in between. */
  readonly dy: Tensor;
}

/** Throws if `t`, which a gradient rule reads, was written between the forward pass and `backward`. */
function checkUnchanged(t: Tensor, { name, recorded, began, dy }: RunningRule): void {
  const { storage } = t;
  const last = Math.max(storage.written ?? 0, storage.parent?.written ?? 0);
  if (last <= recorded || last > began || storage === dy.storage) return;
  throw new ConfigError(
    `backward: what the gradient of ${name} reads must be as in the forward pass; got one written since: ${t.label}. ` +
      'Call it before the write, or compute the loss again.',
  );
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
  const { observer, rule } = context;
  if (observer) return observer.run(primitive, inputs, outputs, params);
  if (rule) for (const t of inputs) checkUnchanged(t, rule);

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
  for (const t of outputs) noteWrite(on, t.storage);
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
