import { backend, type Backend, type Primitive, type Storage } from './backend/backend.js';
import { arrayTypes, type DType, type FloatType, type TypedArray } from './core/dtype.js';
import type { DTypeOf } from './core/dtype_of.js';
import { DeviceError, DTypeError, ShapeError } from './core/errors.js';
import { checkShape, numel, sameShape, type Shape, show } from './core/shape.js';
import { formatValues } from './format.js';
import { noteUpload } from './replay.js';
import { collect, keep } from './step.js';

/** Memory that a gradient rule may write a gradient to, like what it belongs to and with any values. Each call gives other memory. */
export type Place = () => Tensor;

/**
 * Given dL/dy and a place for each input whose gradient is wanted, in order: their gradients, written whole when it returns. One
 * may be in its place or any tensor that nobody overwrites, such as dy. What nobody wants may be left out.
 */
export type GradientRule<P = readonly (Place | undefined)[]> = (dy: Tensor, places: P) => readonly (Tensor | undefined)[];

/** How a tensor was made, for the backward pass. Filled in by `record` in autograd.ts. */
export interface TapeNode {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly rule: GradientRule;
}

/**
 * A multi-dimensional array on the current backend. Nobody frees it: see `step`.
 *
 * `D` is its element type where the compiler knows it: a plain `Tensor` may be of any, and goes wherever one is asked for.
 */
export class Tensor<D extends DType = any> {
  /** Exists for the compiler alone. */
  declare readonly known?: D;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly backend: Backend;
  #storage: Storage;
  /** True for parameters and for everything computed from them while gradients are on. */
  requiresGrad = false;
  /** dL/dx after `backward`, for tensors that were asked to keep it. */
  grad?: Tensor;
  node?: TapeNode;

  constructor(shape: Shape, dtype: DType, on: Backend, storage: Storage) {
    this.shape = shape;
    this.dtype = dtype;
    this.backend = on;
    this.#storage = storage;
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return numel(this.shape);
  }

  /** The memory behind the tensor. @throws DeviceError when a step that has ended recycled it. */
  get storage(): Storage {
    if (this.#storage.freed || this.#storage.parent?.freed)
      throw new DeviceError(
        `tensor ${show(this.shape)}: memory made inside a step is recycled when the step ends; this tensor's is gone. ` +
          'Return it from the step, or read it inside.',
      );
    return this.#storage;
  }

  /** The values, once the device has computed them. */
  async data(): Promise<TypedArray> {
    const values = await this.backend.read(this.storage);
    return values.length === this.size ? values : values.subarray(0, this.size);
  }

  /** The only value of a one-element tensor. @throws ShapeError for more or fewer. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item: a tensor of one element is needed; got ${show(this.shape)}. Use data().`);
    return (await this.data())[0];
  }

  /** Overwrites the values, after all work recorded so far. */
  set(values: TypedArray | readonly number[]): this {
    if (values.length !== this.size)
      throw new ShapeError(`set: as many values as elements are needed; got ${values.length} for ${show(this.shape)}. Pass ${this.size}.`);
    noteUpload();
    this.backend.write(this.storage, asArray(values, this.dtype, this.backend));
    return this;
  }

  /** The same memory without history: no gradient flows through it. */
  detach(): Tensor {
    return new Tensor(this.shape, this.dtype, this.backend, this.storage);
  }

  /** Moves the values into `place`, memory of the same size, and lives there from now on. */
  moveTo(place: Tensor, copy: (to: Tensor, from: Tensor) => void): void {
    copy(place, this);
    this.#storage = place.storage;
  }

  /** What the tensor is, without waiting for its values: `Tensor [2, 3] f32 on SwiftShader, from matmul`. See `text`. */
  toString(): string {
    const origin = this.node ? `, from ${this.node.name}` : this.requiresGrad ? ', parameter' : '';
    return `Tensor ${show(this.shape)} ${this.dtype} on ${this.backend.name}${origin}`;
  }

  /** `toString()` and the values, once the device has computed them, long axes cut in the middle. */
  async text(): Promise<string> {
    return `${this}\n${formatValues(await this.data(), this.shape)}`;
  }
}

function asArray(values: TypedArray | readonly number[], dtype: DType, on: Backend): TypedArray {
  if (on.kind === 'reference' && dtype === 'f32') return values instanceof Float64Array ? values : new Float64Array(values);
  if (values instanceof arrayTypes[dtype]) return values;
  return new arrayTypes[dtype](values);
}

/** A tensor of `values` in row-major order; without a shape, a vector. */
export function tensor<V extends TypedArray | readonly number[]>(values: V, shape?: Shape): Tensor<DTypeOf<V>>;
export function tensor<D extends DType>(values: TypedArray | readonly number[], shape: Shape | undefined, dtype: D): Tensor<D>;
export function tensor(values: TypedArray | readonly number[], shape: Shape = [values.length], dtype: DType = dtypeOf(values)): Tensor {
  checkShape('tensor', shape);
  if (numel(shape) !== values.length)
    throw new ShapeError(`tensor: the shape must hold every value; got ${values.length} values for ${show(shape)}. Correct one of them.`);
  return empty(shape, dtype).set(values);
}

/** The element type of a tensor of `values`. */
export const dtypeOf = (values: TypedArray | readonly number[]): DType =>
  values instanceof Int32Array ? 'i32' : values instanceof Uint32Array ? 'u32' : values instanceof Uint8Array ? 'u8' : 'f32';

/** Memory for a tensor that is about to be written whole. */
export function empty(shape: Shape, dtype: DType = 'f32', on?: Backend): Tensor {
  const where = observer?.backend ?? on ?? backend();
  const t = new Tensor(shape, dtype, where, where.alloc(dtype, numel(shape)));
  collect(t);
  return t;
}

/** State that outlives every step: parameters' memory, running statistics, the queue. */
export function state(values: Tensor): Tensor {
  keep(values);
  return values;
}

/** A kept tensor that `backward` computes a gradient for. */
export function parameter(values: Tensor): Tensor {
  const p = state(values).detach();
  p.requiresGrad = true;
  return p;
}

/** Another shape, dtype unchanged, over the same memory. */
export function view(x: Tensor, shape: Shape, offset = 0): Tensor {
  const whole = offset === 0 && numel(shape) === x.size;
  return new Tensor(shape, x.dtype, x.backend, whole ? x.storage : x.backend.slice(x.storage, offset, numel(shape)));
}

/** Sees operations in place of their computation. */
export interface Observer {
  /** Where new tensors are made. */
  readonly backend: Backend;
  run<P extends object>(primitive: Primitive<P>, inputs: readonly Tensor[], outputs: readonly Tensor[], params: P): void;
}

let observer: Observer | undefined;

/** Runs `fn` while `by` sees every primitive, which is not computed. */
export function observe<T>(by: Observer, fn: () => T): T {
  const before = observer;
  observer = by;
  try {
    return fn();
  } finally {
    observer = before;
  }
}

/** Runs a primitive on tensors: `outputs` are written, `inputs` only read. */
export function run<P extends object>(primitive: Primitive<P>, inputs: readonly Tensor[], outputs: readonly Tensor[], params: P): void {
  if (observer) return observer.run(primitive, inputs, outputs, params);
  const on = (outputs[0] ?? inputs[0]).backend;
  const buffers: Storage[] = [];
  for (const t of inputs) buffers.push(t.storage);
  for (const t of outputs) buffers.push(t.storage);
  for (const t of inputs)
    if (t.backend !== on)
      throw new DeviceError(`${primitive.name}: its tensors must share a backend; got ${t.backend.name} and ${on.name}. Make them on the same one.`);
  on.run(primitive, buffers, params);
}

/** `run` with one output, which it returns. */
export function runTo<P extends object>(y: Tensor, primitive: Primitive<P>, inputs: readonly Tensor[], params: P): Tensor {
  run(primitive, inputs, [y], params);
  return y;
}

/** Throws unless `t` has one of `dtypes`. */
export function checkDType(where: string, t: Tensor, ...dtypes: DType[]): void {
  if (!dtypes.includes(t.dtype))
    throw new DTypeError(`${where}: the tensor must be ${dtypes.join(' or ')}; got ${t.dtype} ${show(t.shape)}. Convert it with cast().`);
}

/** The type of a float tensor. @throws DTypeError for others. */
export function floatType(where: string, t: Tensor): FloatType {
  checkDType(where, t, 'f32', 'f16');
  return t.dtype as FloatType;
}

/** Throws unless `t` has exactly `shape`. */
export function checkSameShape(where: string, what: string, t: Tensor, shape: Shape): void {
  if (!sameShape(t.shape, shape))
    throw new ShapeError(`${where}: ${what} must have shape ${show(shape)}; got ${show(t.shape)}. Reshape or rebuild it.`);
}
