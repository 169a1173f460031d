import { arrayOf, type DType, type TypedArray } from '../core/dtype.js';
import { ConfigError, DeviceError } from '../core/errors.js';
import { formatValues } from '../core/format.js';
import { roundToHalves } from '../core/half.js';
import type { Shape } from '../core/shape.js';
import { type Mirror, mirrors } from '../reference/mirrors.js';
import type { Backend, Primitive, Storage } from './backend.js';

interface ArrayStorage extends Storage {
  readonly array: TypedArray;
}

/**
 * Runs every primitive by its mirror on plain arrays. With `f64`, tensors of dtype `f32` are stored in
 * double precision, which is what gradient checks by finite differences need. Those of dtype `f16` are floats, rounded
 * to the nearest half when a primitive has written them.
 */
export class ReferenceBackend implements Backend {
  readonly kind = 'reference';
  readonly name: string;
  readonly f16 = true;
  readonly #f64: boolean;
  #inUse = 0;
  #peak = 0;

  constructor(precision: 'f32' | 'f64' = 'f32') {
    this.#f64 = precision === 'f64';
    this.name = `reference (${precision})`;
  }

  alloc(dtype: DType, length: number): Storage {
    const array = this.#arrayOf(dtype, length);
    this.#inUse += array.byteLength;
    this.#peak = Math.max(this.#peak, this.#inUse);
    const storage: ArrayStorage = { dtype, length, freed: false, array };
    return storage;
  }

  #arrayOf(dtype: DType, length: number): TypedArray {
    try {
      return this.#f64 && dtype === 'f32' ? new Float64Array(length) : arrayOf(dtype, length);
    } catch {
      throw new DeviceError(
        `${this.name}: a tensor must fit into memory; got ${length} elements of ${dtype}. Make it smaller.`,
      );
    }
  }

  slice(storage: Storage, offset: number, length: number): Storage {
    const slice: ArrayStorage = {
      dtype: storage.dtype,
      length,
      freed: false,
      parent: storage,
      array: arrayIn(storage).subarray(offset, offset + length),
    };
    return slice;
  }

  free(storage: Storage): void {
    if (storage.freed) return;
    storage.freed = true;
    this.#inUse -= arrayIn(storage).byteLength;
  }

  write(storage: Storage, data: TypedArray): void {
    arrayIn(storage).set(data);
    settle(storage);
  }

  async read(storage: Storage): Promise<TypedArray> {
    return arrayIn(storage).slice();
  }

  print(storage: Storage, shape: Shape): string {
    return formatValues(arrayIn(storage), shape);
  }

  run<P>(primitive: Primitive<P>, buffers: readonly Storage[], params: P): void {
    const mirror: Mirror | undefined = primitive.mirror ?? mirrors[primitive.name];
    if (!mirror)
      throw new ConfigError(
        `${primitive.name}: the reference backend computes a primitive by its mirror; got none. Give it one, ` +
          `or open a GPU with device().`,
      );
    mirror(buffers.map(arrayIn), params as never);
    buffers.forEach(settle);
  }

  flush(): void {}

  memory(): { inUse: number; peak: number } {
    return { inUse: this.#inUse, peak: this.#peak };
  }
}

const settle = (storage: Storage): void =>
  void (storage.dtype === 'f16' && roundToHalves(arrayIn(storage) as Float32Array));
const arrayIn = (storage: Storage): TypedArray => (storage as ArrayStorage).array;
