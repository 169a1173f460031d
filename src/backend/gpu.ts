import { bytesOf, type DType, type TypedArray, viewOf } from '../core/dtype.js';
import { ConfigError, DeviceError, type DeviceLostError } from '../core/errors.js';
import { encodeHalves } from '../core/half.js';
import { type Shape, show } from '../core/shape.js';
import { checkDevice, type Gpu, type Traits } from '../gpu/device.js';
import type { Kernel } from '../gpu/kernel.js';
import type { Slice } from '../gpu/recorder.js';
import type { Recording } from '../gpu/recording.js';
import type { Backend, Launch, Plan, Primitive, Storage } from './backend.js';

export interface GpuStorage extends Storage, Slice {
  readonly parent?: GpuStorage;
}

/** Bytes of a binding: whole words, and never less than the vec4 that a kernel may declare. */
const sizeOf = (dtype: DType, length: number): number => Math.max(16, Math.ceil((length * bytesOf(dtype)) / 16) * 16);

/** Values as they are on the device. */
function bytesIn(dtype: DType, data: TypedArray): Uint8Array {
  const stored = dtype === 'f16' ? encodeHalves(data) : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/** One bit a buffer, set where it holds f16. */
const f16In = (slices: readonly { readonly dtype: DType }[]): number =>
  slices.reduce((mask, { dtype }, i) => (dtype === 'f16' ? mask | (1 << i) : mask), 0);

/** The kernel of a launch on what it is bound to: where that holds halves, the variant for them. */
export function kernelOn(
  { storedAsF16 }: Gpu,
  { kernel, words }: Launch,
  slices: readonly { readonly dtype: DType }[],
): Kernel {
  const halves = words ? 0 : f16In(slices);
  return halves ? storedAsF16!(kernel, halves) : kernel;
}

/** Runs primitives as recorded dispatches on an open device. */
export class GpuBackend implements Backend {
  readonly kind = 'gpu';
  readonly name: string;
  readonly f16: boolean;
  readonly traits: Traits;
  readonly largest: number;
  readonly gpu: Gpu;
  /** Where work is written down instead of done, and the memory made meanwhile; see `record`. */
  recording?: { to: Recording; made: GpuStorage[] };

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.name = gpu.name;
    this.traits = gpu.traits;
    this.f16 = gpu.traits.f16;
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
    this.largest = Math.min(maxBufferSize, maxStorageBufferBindingSize, 2 ** 32); // kernels count bytes in 32 bits
  }

  alloc(dtype: DType, length: number, shape: Shape = [length]): Storage {
    if (dtype === 'f16' && !this.f16)
      throw new DeviceError(`f16: the adapter must have shader-f16; got ${this.name}, which has not. Use f32.`);
    const bytes = sizeOf(dtype, length);
    if (bytes > this.largest)
      throw new DeviceError(
        `tensor: it must fit into a buffer of ${this.name}, ${this.largest} bytes; ` +
          `got ${dtype} ${show(shape)}, ${bytes} bytes. Use a smaller batch or model.`,
      );
    const pooled = this.recording?.to.alloc(bytes) ?? this.gpu.pool.acquire(bytes, () => `${dtype} ${show(shape)}`);
    const storage: GpuStorage = { dtype, length, freed: false, pooled, offset: 0, bytes };
    this.recording?.made.push(storage);
    return storage;
  }

  slice(storage: Storage, offset: number, length: number): Storage {
    const { dtype, pooled, offset: start } = storage as GpuStorage;
    const slice: GpuStorage = {
      dtype,
      length,
      freed: false,
      parent: storage as GpuStorage,
      pooled,
      offset: start + offset * bytesOf(dtype),
      bytes: sizeOf(dtype, length),
    };
    return slice;
  }

  free(storage: Storage): void {
    const s = storage as GpuStorage;
    if (s.freed) return;
    s.freed = true;
    if (!s.parent && s.pooled.owned !== false) this.gpu.pool.release(s.pooled);
  }

  write(storage: Storage, data: TypedArray): void {
    const [to, bytes] = [storage as GpuStorage, bytesIn(storage.dtype, data)];
    if (!this.recording) this.gpu.recorder.write(to, bytes);
    else if (!this.recording.to.owns(to) || !this.recording.to.constant(to, bytes))
      throw new ConfigError(
        'set: inside a compiled function only new tensors are given values, once, before they are used; ' +
          'got another. Set it outside, or pass the values as an argument.',
      );
  }

  async read(storage: Storage): Promise<TypedArray> {
    if (this.recording)
      throw new ConfigError(
        'data: inside a compiled function nothing has been computed yet; got a read. ' +
          'Return the tensor and read it then.',
      );
    const bytes = await this.gpu.recorder.read(storage as GpuStorage);
    checkDevice(this.gpu);
    return viewOf(storage.dtype, bytes, 0, storage.length);
  }

  run<P>(primitive: Primitive<P>, buffers: readonly Storage[], params: P): void {
    const made = primitive.gpu(params, this.gpu.traits);
    const plan: Plan = 'launches' in made ? made : { scratch: [], launches: [made] };
    const scratch = plan.scratch.map((length) => this.alloc('f32', length));
    const all = [...buffers, ...scratch] as GpuStorage[];
    for (const l of plan.launches) {
      const [{ constants = {}, groups, flops }, slices] = [l, l.bind ? l.bind.map((i) => all[i]) : all];
      const kernel = kernelOn(this.gpu, l, slices);
      if (!this.recording) this.gpu.recorder.dispatch(kernel, constants, slices, l.params, groups);
      else this.recording.to.dispatch({ op: primitive.name, flops, kernel, constants, slices, groups }, l.params);
    }
    for (const s of scratch) this.free(s); // later work runs after these dispatches, so it may use them at once
  }

  flush(): void {
    if (this.recording) return;
    this.gpu.recorder.flush();
  }

  get lost(): DeviceLostError | undefined {
    return this.gpu.loss.error;
  }

  memory(): { inUse: number; peak: number } {
    return { inUse: this.gpu.pool.inUse, peak: this.gpu.pool.peakInUse };
  }
}
