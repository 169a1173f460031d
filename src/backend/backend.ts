import { check, isRecord } from '../core/check.js';
import type { DType, TypedArray } from '../core/dtype.js';
import { DeviceError, type DeviceLostError } from '../core/errors.js';
import type { Shape } from '../core/shape.js';
import type { Traits } from '../gpu/device.js';
import type { Kernel, ParamValue } from '../gpu/kernel.js';
import { change, context } from './context.js';

/** Memory of a tensor. Only its own backend looks inside. */
export interface Storage {
  readonly dtype: DType;
  readonly length: number;
  /** Set when the memory has been recycled. */
  freed: boolean;
  /** Set once JavaScript's collector has it in its care. */
  collected?: boolean;
  /** For a slice: the memory it is part of, and lives and dies with. */
  readonly parent?: Storage;
  /** The number, among its backend's, of the last write to it. */
  written?: number;
}

export type Params = Record<string, ParamValue>;

/** One dispatch. `bind` lists the buffers by place; places past the operation's own are its scratch. */
export interface Launch {
  readonly kernel: Kernel;
  readonly constants?: Record<string, number>;
  readonly params: Params;
  /** Number of workgroups. */
  readonly groups: number;
  readonly bind?: readonly number[];
  /** The kernel moves words, whatever the type of what it is bound to; f16 is not converted to f32 for it. */
  readonly words?: boolean;
  /** Floating-point operations, for profiles: of a product, and absent where they are not what takes its time. */
  readonly flops?: number;
}

/** Several dispatches with scratch buffers (f32 elements each) between them. */
export interface Plan {
  readonly scratch: readonly number[];
  readonly launches: readonly Launch[];
}

/**
 * The unit both backends share: the dispatches that compute it on a GPU, and by its name the mirror on plain arrays
 * that does the same. Both get the same buffers in the same order, inputs first, and the same params.
 */
export interface Primitive<P> {
  readonly name: string;
  readonly gpu: (params: P, traits: Traits) => Launch | Plan;
  /**
   * For a primitive that is not the library's: those have theirs in `src/reference`, which no user of a GPU downloads.
   */
  readonly mirror?: (buffers: TypedArray[], params: P) => void;
  /** Floating-point operations, for summaries of models: all that its launches carry. */
  readonly flops?: (params: P) => number;
}

/** One dispatch of a recording, timed. */
export interface DispatchRecord {
  /** The primitive that asked for it. */
  readonly op: string;
  readonly kernel: string;
  /** When it began, from the first dispatch on, and how long it ran. */
  readonly start: number;
  readonly microseconds: number;
  /** Bytes of its bindings: what it reads and writes if it touches each once, and all of them. */
  readonly bytes: number;
  /** Floating-point operations, where the launch carries them; else 0. */
  readonly flops: number;
  readonly groups: number;
}

/** What tells one recording from another. */
export interface Difference {
  readonly what: string;
  /** Both run the same kernels in the same order: only values differ, sizes or which tensors of others are used. */
  readonly alike: boolean;
  /** The number of the first upload that differs, if it is one. */
  readonly upload?: number;
}

/** Work that `record` wrote down. */
export interface Recorded {
  readonly dispatches: number;
  /** Bytes of the tensors that live in it: as planned, and alive at the worst moment. Known once built. */
  readonly memory: { readonly planned: number; readonly live: number };
  /** Makes pipelines in parallel, before `build`, which would make them one by one. */
  prepare(): Promise<void>;
  build(): void;
  /** Runs it on inputs of the recorded types and sizes. Allocates nothing. */
  replay(inputs: readonly (TypedArray | Storage)[]): void;
  /** The same, each dispatch by itself and timed. */
  profile(inputs: readonly (TypedArray | Storage)[]): Promise<DispatchRecord[]>;
  /** What it does otherwise than another recording, or undefined. */
  difference(other: Recorded): Difference | undefined;
  /** Gives its memory back. */
  release(): void;
}

/** A way of computing: a WebGPU device, or plain loops. Tensors hold memory of one. */
export interface Backend {
  readonly kind: 'gpu' | 'reference';
  /** The adapter's name, or `reference`. */
  readonly name: string;
  /** Whether tensors may be f16. */
  readonly f16: boolean;
  /** What kernels are chosen by, where there are any. */
  readonly traits?: Traits;
  /** Bytes of the largest tensor, where there is a limit. */
  readonly largest?: number;
  /** How many times memory of it was written: see `countWrite`. */
  writes?: number;
  /** Memory for `length` elements, with any values. @param shape of its tensor, for messages. */
  alloc(dtype: DType, length: number, shape?: Shape): Storage;
  /** Part of `storage`, from element `offset`; its start must be a multiple of 256 bytes. */
  slice(storage: Storage, offset: number, length: number): Storage;
  /** Gives memory back; work recorded before may still use it. */
  free(storage: Storage): void;
  /** Sets the values, after all work so far. */
  write(storage: Storage, data: TypedArray): void;
  /** The values after all work so far. @throws DeviceError when the device reports an error. */
  read(storage: Storage): Promise<TypedArray>;
  /** The values of a tensor of this shape as text, at once, where there is nothing to wait for. */
  print?(storage: Storage, shape: Shape): string;
  /** Computes a primitive on buffers, inputs first. */
  run<P>(primitive: Primitive<P>, buffers: readonly Storage[], params: P): void;
  /** Hands encoded work to the device. */
  flush(): void;
  /** Why nothing can be computed any more, where the device is lost. */
  readonly lost?: DeviceLostError;
  /** Bytes in use now, and at most so far. */
  memory(): { inUse: number; peak: number };
}

/** Counts a write to memory. */
export function countWrite(on: Backend, storage: Storage): void {
  on.writes = (on.writes ?? 0) + 1;
  storage.written = on.writes;
}

declare module './context.js' {
  interface Context {
    /** Where new tensors live. */
    backend?: Backend;
  }
}

/** The backend new tensors live on. */
export function backend(): Backend {
  const on = context.backend;
  if (!on)
    throw new DeviceError(
      'tensor: a device must be open before tensors are made; got none. Call `await device()` first.',
    );
  return on;
}

/** Throws unless `on` is a backend. */
export const checkBackend = (where: string, on: unknown): void =>
  check(
    where,
    'the backend',
    on,
    { is: 'a backend', holds: (v) => isRecord(v) && typeof v.run === 'function' && typeof v.alloc === 'function' },
    'Open one with device().',
  );

/** Makes `next` the backend of new tensors; returns the one before. */
export function useBackend(next: Backend | undefined): Backend | undefined {
  if (next !== undefined) checkBackend('useBackend', next);
  const before = context.backend;
  change({ backend: next });
  return before;
}
