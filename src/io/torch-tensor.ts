import { anything, check, instance, listOf } from '../core/check.js';
import { fromHalf } from '../core/half.js';
import { stridesOf } from '../core/shape.js';
import { ByteReader } from './byte-reader.js';
import type { StoredDType, StoredTensor } from './safetensors-types.js';

/** How the elements of a kind of PyTorch storage lie in a file, and what they become here. */
interface Kind {
  bytes: number;
  dtype: StoredDType;
  read(view: DataView, at: number): number | bigint;
}

const kind = (bytes: number, dtype: StoredDType, read: Kind['read']): Kind => ({ bytes, dtype, read });

const brain = new DataView(new ArrayBuffer(4));
const fromBrain = (bits: number): number => (brain.setUint32(0, bits << 16), brain.getFloat32(0));

/** By the name of the storage's class. Doubles are rounded to F32; small integers widen; a bool is a byte. */
export const STORAGES: Record<string, Kind> = {
  FloatStorage: kind(4, 'F32', (v, at) => v.getFloat32(at, true)),
  DoubleStorage: kind(8, 'F32', (v, at) => v.getFloat64(at, true)),
  HalfStorage: kind(2, 'F32', (v, at) => fromHalf(v.getUint16(at, true))),
  BFloat16Storage: kind(2, 'F32', (v, at) => fromBrain(v.getUint16(at, true))),
  LongStorage: kind(8, 'I64', (v, at) => v.getBigInt64(at, true)),
  IntStorage: kind(4, 'I32', (v, at) => v.getInt32(at, true)),
  ShortStorage: kind(2, 'I32', (v, at) => v.getInt16(at, true)),
  CharStorage: kind(1, 'I32', (v, at) => v.getInt8(at)),
  ByteStorage: kind(1, 'U8', (v, at) => v.getUint8(at)),
  BoolStorage: kind(1, 'U8', (v, at) => v.getUint8(at)),
};

/** Bytes of an element of the kinds that are not read. */
export const WIDTHS: Record<string, number> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
  UntypedStorage: 1,
  _UntypedStorage: 1,
};

const ARRAYS = { F32: Float32Array, I64: BigInt64Array, I32: Int32Array, U32: Uint32Array, U8: Uint8Array };

/** A storage that a tensor looks into. */
export interface TorchStorage {
  readonly kind: Kind;
  /** Elements it is said to have. */
  readonly length: number;
  /** Its bytes. */
  bytes(): Promise<Uint8Array>;
  /** First element of a view, in older files. */
  readonly offset: number;
  /** Bytes that the tensors of the file may still become, over all of them. */
  readonly room: { left: number };
}

/** A tensor of a PyTorch file, read when it is asked for. */
export class TorchTensor {
  /** Sizes, a copy of those in the file that nothing changes. */
  readonly shape: readonly number[];
  readonly #storage: TorchStorage;
  readonly #offset: number;
  readonly #strides: readonly number[];
  readonly #file: ByteReader;
  #paid = false;

  /** `_rebuild_tensor_v2(storage, offset, size, stride, ...)`. @throws FormatError when they do not fit. */
  constructor(file: ByteReader, args: readonly unknown[]) {
    check('TorchTensor', 'the file', file, instance(ByteReader, 'ByteReader'), 'decodeTorch() makes these.');
    check('TorchTensor', 'its parts', args, listOf(anything), 'decodeTorch() makes these.');
    const [storage, offset, size, strides] = [args[0], args[1], copied(args[2]), copied(args[3])];
    if (!isStorage(storage) || !isCount(offset) || !size || !strides || size.length !== strides.length)
      file.fail('a tensor must be a storage, an offset, sizes and strides; got something else');
    this.#file = file;
    this.#storage = storage;
    this.#offset = offset + storage.offset;
    this.#strides = strides;
    this.shape = size;
    if (!isCount(this.length)) file.fail(`a tensor must have fewer than 2^53 values; got shape [${size}]`);
    const last = this.#offset + size.reduce((sum, d, i) => sum + (d - 1) * strides[i], 0);
    if (this.length > 0 && !(last < storage.length))
      file.fail(
        `a tensor must lie inside its storage of ${storage.length} values; ` +
          `got one of shape [${size}] that ends at ${last}`,
      );
  }

  get dtype(): StoredDType {
    return this.#storage.kind.dtype;
  }

  get length(): number {
    return this.shape.reduce((n, d) => n * d, 1);
  }

  /**
   * The values, row-major, copied out of the strides. @throws FormatError when the storage is shorter than it was said
   * to be.
   */
  async load(): Promise<StoredTensor> {
    const { kind, length, room } = this.#storage;
    const bytes = await this.#storage.bytes();
    const needed = length * kind.bytes;
    if (bytes.length < needed)
      this.#file.fail(`a storage of ${length} values must have ${needed} bytes; got ${bytes.length}`);
    const becomes = this.length * ARRAYS[kind.dtype].BYTES_PER_ELEMENT;
    if (!this.#paid && (room.left -= becomes) < 0)
      this.#file.refuse(
        `tensors must become at most four times the bytes of their file; ` +
          `got one of shape [${this.shape}] beyond that`,
        'Save them as copies: tensor.clone().',
      );
    this.#paid = true;
    return { dtype: kind.dtype, shape: [...this.shape], data: this.#whole(bytes) ?? this.#strided(bytes) };
  }

  /** The bytes as they lie, where the values are floats and follow each other. */
  #whole(bytes: Uint8Array): Float32Array | undefined {
    const dense = stridesOf(this.shape);
    if (
      this.#storage.kind !== STORAGES.FloatStorage ||
      this.#strides.some((s, i) => this.shape[i] > 1 && s !== dense[i])
    )
      return undefined;
    // a Node Buffer's slice is none
    const copy = new Uint8Array(bytes.subarray(4 * this.#offset, 4 * (this.#offset + this.length)));
    return new Float32Array(copy.buffer);
  }

  #strided(bytes: Uint8Array): StoredTensor['data'] {
    const { kind } = this.#storage;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const data = new ARRAYS[kind.dtype](this.length);
    const index = new Array<number>(this.shape.length).fill(0);
    for (let i = 0, at = this.#offset; i < data.length; i++) {
      data[i] = kind.read(view, at * kind.bytes);
      for (let axis = index.length - 1; axis >= 0; axis--) {
        at += this.#strides[axis];
        if (++index[axis] < this.shape[axis]) break;
        at -= this.#strides[axis] * this.shape[axis];
        index[axis] = 0;
      }
    }
    return data;
  }
}

const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;

/** Counts as a list of their own: one in the file may still grow. */
const copied = (v: unknown): readonly number[] | undefined =>
  Array.isArray(v) && v.length <= 64 && v.every(isCount) ? Object.freeze([...(v as number[])]) : undefined;

const isStorage = (v: unknown): v is TorchStorage => typeof v === 'object' && v !== null && 'kind' in v && 'bytes' in v;
