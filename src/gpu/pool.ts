import { DeviceError } from '../core/errors.js';

/** The first error that WebGPU reported on a device and no caller has seen. */
export interface Failure {
  error?: DeviceError;
}

/** A GPU buffer with a number of its own, so that bind groups can be found again by their buffers. */
export interface PooledBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly size: number;
  /** Of a buffer of a recording: whether it belongs to a tensor that outlives the call. */
  readonly owned?: boolean;
  /** The device had no memory for it. */
  refused?: boolean;
}

/** Buffers below this are made without waiting for what the device says of its memory. */
const LARGE = 2 ** 24;

/** Rounds up to a quarter of a power of two, so that freed buffers fit again and at most a fifth is wasted. */
export function sizeClass(bytes: number): number {
  if (bytes <= 1024) return Math.max(256, Math.ceil(bytes / 256) * 256);
  const step = 2 ** Math.floor(Math.log2(bytes)) / 4;
  return Math.ceil(bytes / step) * step;
}

/** Storage buffers by size class, last freed first handed out: a step that repeats gets the same buffers again. */
export class BufferPool {
  #free = new Map<number, PooledBuffer[]>();
  #nextId = 0;
  /** Bytes held by the pool, free or in use, and the most there have been. */
  allocated = 0;
  inUse = 0;
  peakInUse = 0;
  readonly #device: GPUDevice;
  readonly #failure: Failure;

  constructor(device: GPUDevice, failure: Failure) {
    this.#device = device;
    this.#failure = failure;
  }

  /** @param what for messages. A buffer that the device refuses is told of by the next read. */
  acquire(bytes: number, what = () => 'memory of a recording'): PooledBuffer {
    const size = Math.min(sizeClass(bytes), Math.max(bytes, this.#device.limits.maxBufferSize));
    this.inUse += size;
    this.peakInUse = Math.max(this.peakInUse, this.inUse);
    const found = this.#free.get(size)?.pop();
    if (found) return found;
    this.allocated += size;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    if (size >= LARGE) this.#device.pushErrorScope('out-of-memory');
    const made: PooledBuffer = { id: this.#nextId++, buffer: this.#device.createBuffer({ size, usage }), size };
    if (size >= LARGE) void this.#refusing(made, what(), this.inUse);
    return made;
  }

  async #refusing(made: PooledBuffer, what: string, inUse: number): Promise<void> {
    const error = await this.#device.popErrorScope().catch(() => undefined); // a lost device says so elsewhere
    if (!error) return;
    made.refused = true;
    this.#failure.error = new DeviceError(
      `tensor: the device must have memory for it; got ${what}, ${made.size} bytes, with ${inUse} in use. ` +
        'Use a smaller batch or model.',
    );
  }

  release(buffer: PooledBuffer): void {
    this.inUse -= buffer.size;
    if (buffer.refused) return void (this.allocated -= buffer.size);
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }
}
