import { bytesOf, type DType, type TypedArray, viewOf } from '../core/dtype.js';
import { checkDevice, type Gpu } from '../gpu/device.js';
import type { Slice } from '../gpu/recorder.js';
import type { Backend, Plan, Primitive, Storage } from './backend.js';

interface GpuStorage extends Storage, Slice {}

/** Bytes of a binding: whole words, and never less than the vec4 that a kernel may declare. */
const sizeOf = (dtype: DType, length: number): number => Math.max(16, Math.ceil((length * bytesOf(dtype)) / 4) * 4);

/** Runs primitives as recorded dispatches on an open device. */
export class GpuBackend implements Backend {
  readonly kind = 'gpu';
  readonly name: string;
  readonly gpu: Gpu;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.name = gpu.name;
  }

  alloc(dtype: DType, length: number): Storage {
    const bytes = sizeOf(dtype, length);
    const storage: GpuStorage = { dtype, length, freed: false, pooled: this.gpu.pool.acquire(bytes), offset: 0, bytes };
    return storage;
  }

  slice(storage: Storage, offset: number, length: number): Storage {
    const { dtype, pooled, offset: start } = storage as GpuStorage;
    const slice: GpuStorage = { dtype, length, freed: false, parent: storage, pooled, offset: start + offset * bytesOf(dtype), bytes: sizeOf(dtype, length) };
    return slice;
  }

  free(storage: Storage): void {
    const s = storage as GpuStorage;
    if (s.freed) return;
    s.freed = true;
    if (!s.parent) this.gpu.pool.release(s.pooled);
  }

  write(storage: Storage, data: TypedArray): void {
    this.gpu.recorder.write(storage as GpuStorage, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  async read(storage: Storage): Promise<TypedArray> {
    const bytes = await this.gpu.recorder.read(storage as GpuStorage);
    checkDevice(this.gpu.device);
    return viewOf(storage.dtype, bytes, 0, storage.length);
  }

  run<P>(primitive: Primitive<P>, buffers: readonly Storage[], params: P): void {
    const made = primitive.gpu(params, this.gpu.traits);
    const plan: Plan = 'launches' in made ? made : { scratch: [], launches: [made] };
    const scratch = plan.scratch.map((length) => this.alloc('f32', length));
    const all = [...buffers, ...scratch] as GpuStorage[];
    for (const l of plan.launches) {
      const slices = l.bind ? l.bind.map((i) => all[i]) : all;
      this.gpu.recorder.dispatch(l.kernel, l.constants ?? {}, slices, l.params, l.groups);
    }
    for (const s of scratch) this.free(s); // later work runs after these dispatches, so it may use them at once
  }

  flush(): void {
    this.gpu.recorder.flush();
  }

  memory(): { inUse: number; peak: number } {
    return { inUse: this.gpu.pool.inUse, peak: this.gpu.pool.peakInUse };
  }
}
