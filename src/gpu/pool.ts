/** A GPU buffer with a number of its own, so that bind groups can be found again by their buffers. */
export interface PooledBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly size: number;
  /** Of a buffer of a recording: whether it belongs to a tensor that outlives the call. */
  readonly owned?: boolean;
}

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

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  acquire(bytes: number): PooledBuffer {
    const size = Math.min(sizeClass(bytes), Math.max(bytes, this.#device.limits.maxBufferSize));
    this.inUse += size;
    this.peakInUse = Math.max(this.peakInUse, this.inUse);
    const found = this.#free.get(size)?.pop();
    if (found) return found;
    this.allocated += size;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return { id: this.#nextId++, buffer: this.#device.createBuffer({ size, usage }), size };
  }

  release(buffer: PooledBuffer): void {
    this.inUse -= buffer.size;
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
  }
}
