import { type Backend, backend, type Storage } from '../backend/backend.js';
import { context } from '../backend/context.js';
import { anything, callable, check, checkOptions, isPlain, shown } from '../core/check.js';
import { checkDTypeName, type DType, type FloatType, type TypedArray } from '../core/dtype.js';
import type { DTypeOf, Nested } from '../core/dtype-of.js';
import { ConfigError, DeviceError, DTypeError, ShapeError } from '../core/errors.js';
import { checkShape, MAX_RANK, numel, type Shape, sameShape, show } from '../core/shape.js';
import { noteUpload, noteWrite } from './replay.js';
import { collect, keep } from './tidy.js';
import { asArray, listed, nest, sizesOf } from './values.js';

/**
 * Memory that a gradient rule may write a gradient to, like what it belongs to and with any values. Each call gives
 * other memory.
 */
export type Place = () => Tensor;

/**
 * Given dL/dy and a place for each input whose gradient is wanted, in order: their gradients, written whole when it
 * returns. One may be in its place or any tensor that nobody overwrites, such as dy. What nobody wants may be left out.
 */
export type GradientRule<P = readonly (Place | undefined)[]> = (
  dy: Tensor,
  places: P,
) => readonly (Tensor | undefined)[];

/** How a tensor was made, for the backward pass. Filled in by `record` in autograd.ts. */
export interface TapeNode {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly rule: GradientRule;
  /** How many writes its backend had counted. */
  readonly writes: number;
}

/** Where Node's console looks for how to show an object. */
const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom');

declare global {
  namespace dawngrad {
    /**
     * Methods of tensors that ops/methods adds. By a global name: one of a module is lost where declarations are
     * bundled.
     */
    interface TensorMethods {}
  }
}

export interface Tensor<D extends DType = any> extends dawngrad.TensorMethods {}

/**
 * A multi-dimensional array on the current backend. Nobody frees it: see `tidy`.
 *
 * `D` is its element type where the compiler knows it: a plain `Tensor` may be of any, and goes wherever one is asked
 * for.
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
  /** Of a gradient: it was used, and the next `backward` overwrites it. */
  spent = false;
  node?: TapeNode;

  constructor(shape: Shape, dtype: DType, on: Backend, storage: Storage) {
    if (!Array.isArray(shape) || typeof on?.run !== 'function' || typeof storage?.length !== 'number')
      throw new ConfigError(
        `Tensor: it must be made of a shape, a backend and its memory; got ${shown([shape, on, storage])}. ` +
          `Use tensor() or zeros().`,
      );
    checkDTypeName('Tensor', dtype);
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
        `tensor ${show(this.shape)}: its memory must be alive, ` +
          `and what is made inside a tidy() is recycled when it ends; got one that is gone. ` +
          'Return it from the tidy(), or read it inside.',
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
    if (this.size !== 1)
      throw new ShapeError(`item: the tensor must have one element; got ${show(this.shape)}. Use data().`);
    return (await this.data())[0];
  }

  /** The values as nested lists, or as a number where there are no axes. */
  async array<T extends Nested = any>(): Promise<T> {
    return nest(await this.data(), this.shape) as T;
  }

  /** Overwrites the values, after all work recorded so far. */
  set(values: TypedArray | readonly number[]): this {
    const flat = listed('set', values);
    if (flat.length !== this.size)
      throw new ShapeError(
        `set: values must be as many as elements; got ${flat.length} for ${show(this.shape)}. Pass ${this.size}.`,
      );
    upload('set', this, flat);
    return this;
  }

  /** The same memory without history: no gradient flows through it. */
  detach(): Tensor {
    return new Tensor(this.shape, this.dtype, this.backend, this.storage);
  }

  /** Moves the values into `place`, memory of the same size, and lives there from now on. */
  moveTo(place: Tensor, copy: (to: Tensor, from: Tensor) => void): void {
    checkSameShape('moveTo', 'the place', place, this.shape);
    check('moveTo', 'copy', copy, callable);
    copy(place, this);
    place.storage.written = this.storage.written; // the values are no others
    this.#storage = place.storage;
  }

  /** What the tensor is, in a line: `Tensor [2, 3] f32 on SwiftShader, from matmul`. */
  get label(): string {
    const origin = this.node ? `, from ${this.node.name}` : this.requiresGrad ? ', parameter' : '';
    return `Tensor ${show(this.shape)} ${this.dtype} on ${this.backend.name}${origin}`;
  }

  /** The label, and the values where they can be read at once; else how to read them. */
  toString(): string {
    if (this.#storage.freed || this.#storage.parent?.freed) return `${this.label}. Its memory is recycled`;
    const values = this.backend.print?.(this.#storage, this.shape);
    return this.label + (values ? `\n${values}` : '. Its values: await text()');
  }

  /** What `console.log` shows in Node. */
  [inspect](): string {
    return this.toString();
  }

  /**
   * The label and the values, once the device has computed them: as PyTorch prints them, the middle of large ones cut.
   */
  async text(): Promise<string> {
    const [{ formatValues }, values] = await Promise.all([import('../core/format.js'), this.data()]);
    return `${this.label}\n${formatValues(values, this.shape)}`;
  }
}

/** Writes values, after all work recorded so far. */
function upload(where: string, to: Tensor, values: TypedArray | readonly number[]): void {
  const array = asArray(where, values, to.dtype, to.backend);
  noteUpload();
  noteWrite(to.backend, to.storage);
  to.backend.write(to.storage, array);
}

/** Of the tensor that `tensor` makes. */
export interface TensorOptions<D extends DType = DType> {
  readonly shape?: Shape;
  readonly dtype?: D;
}

/**
 * A tensor of `values` in row-major order; nested lists have the shape that they show, and a number has none. A plain
 * list becomes f32.
 *
 * @param shape other than that of `values`, for as many; or `{ shape, dtype }`, each of which may be left out.
 * @throws ShapeError for ragged lists or a shape that does not fit, DTypeError for values that the element type cannot
 * hold.
 * @example tensor([[1, 2], [3, 4]]), tensor(labels, { dtype: 'u32' }), tensor(pixels, [1, 32, 32, 3])
 */
export function tensor<V extends TypedArray | Nested>(
  values: V,
  shape?: Shape | { readonly shape?: Shape; readonly dtype?: undefined },
): Tensor<DTypeOf<V>>;
export function tensor<D extends DType>(values: TypedArray | Nested, options: TensorOptions<D>): Tensor<D>;
export function tensor<D extends DType>(values: TypedArray | Nested, shape: Shape | undefined, dtype: D): Tensor<D>;
export function tensor(values: TypedArray | Nested, given?: Shape | TensorOptions, named?: DType): Tensor {
  if (isPlain(given)) checkOptions('tensor', given, { shape: anything, dtype: anything });
  const { shape, dtype }: TensorOptions = isPlain(given) ? given : { shape: given as Shape, dtype: named };
  const sizes = ArrayBuffer.isView(values) ? undefined : sizesOf(values);
  const nested = sizes && sizes.length > 1 ? (values as readonly number[][]).flat(MAX_RANK as 1) : values;
  const flat = listed('tensor', (typeof values === 'number' ? [values] : nested) as number[]);
  const [to, type] = [shape ?? sizes ?? [flat.length], dtype ?? dtypeOf(flat)];
  checkShape('tensor', to);
  checkDTypeName('tensor', type);
  if (numel(to) !== flat.length)
    throw new ShapeError(
      `tensor: the shape must hold every value; got ${flat.length} values for ${show(to)}. Correct one of them.`,
    );
  const y = empty(to, type);
  upload('tensor', y, flat);
  return y;
}

/** The element type of a tensor of `values`. */
export const dtypeOf = (values: TypedArray | readonly number[]): DType =>
  values instanceof Int32Array
    ? 'i32'
    : values instanceof Uint32Array
      ? 'u32'
      : values instanceof Uint8Array
        ? 'u8'
        : 'f32';

/** Memory for a tensor that is about to be written whole. */
export function empty(shape: Shape, dtype: DType = 'f32', on?: Backend): Tensor {
  checkShape('empty', shape);
  checkDTypeName('empty', dtype);
  const where = context.observer?.backend ?? on ?? backend();
  const t = new Tensor(shape, dtype, where, where.alloc(dtype, numel(shape), shape));
  collect(t);
  return t;
}

/** State that outlives every step: parameters' memory, running statistics, the queue. */
export function state(values: Tensor): Tensor {
  checkTensor('state', values);
  keep(values);
  return values;
}

/** State that `backward` computes a gradient for. */
export function parameter(values: Tensor): Tensor {
  floatType('parameter', values);
  const p = state(values).detach();
  p.requiresGrad = true;
  return p;
}

/** Another shape, dtype unchanged, over the same memory. */
export function view(x: Tensor, shape: Shape, offset = 0): Tensor {
  const whole = offset === 0 && numel(shape) === x.size;
  return new Tensor(shape, x.dtype, x.backend, whole ? x.storage : x.backend.slice(x.storage, offset, numel(shape)));
}

/** Throws unless `t` is a tensor. */
export function checkTensor(where: string, t: Tensor, what = 'the operand'): void {
  if (!(t instanceof Tensor))
    throw new DTypeError(`${where}: ${what} must be a tensor; got ${shown(t)}. Make one with tensor().`);
}

/** Throws unless `t` has one of `dtypes`. */
export function checkDType(where: string, t: Tensor, ...dtypes: DType[]): void {
  checkTensor(where, t);
  if (!dtypes.includes(t.dtype))
    throw new DTypeError(
      `${where}: the tensor must be ${dtypes.join(' or ')}; got ${t.dtype} ${show(t.shape)}. Convert it with cast().`,
    );
}

/** The type of a float tensor. @throws DTypeError for others. */
export function floatType(where: string, t: Tensor): FloatType {
  checkDType(where, t, 'f32', 'f16');
  return t.dtype as FloatType;
}

/** Throws unless `t` has exactly `shape`. */
export function checkSameShape(where: string, what: string, t: Tensor, shape: Shape): void {
  checkTensor(where, t, what);
  if (!sameShape(t.shape, shape))
    throw new ShapeError(
      `${where}: ${what} must have shape ${show(shape)}; got ${show(t.shape)}. Reshape or rebuild it.`,
    );
}
