import { type Storage, useBackend } from '../src/backend/backend.js';
import { GpuBackend } from '../src/backend/gpu.js';
import { type TypedArray, viewOf } from '../src/core/dtype.js';
import { DTypeError } from '../src/core/errors.js';
import { Rng } from '../src/core/rng.js';
import type { Pictures } from '../src/data/picture-source.js';
import type { Gpu, Traits } from '../src/gpu/device.js';
import { f16Storage } from '../src/gpu/f16-storage.js';
import { kernel } from '../src/gpu/kernel.js';
import { type PooledBuffer, sizeClass } from '../src/gpu/pool.js';
import type { Dispatch, Recording } from '../src/gpu/recording.js';
import type { PretrainConfig } from '../src/moco/config.js';
import { Pretraining } from '../src/train/pretrain.js';

/** A GPU of any traits without a device: work is chosen and sized, recorded where asked, and never done. */
export class CaptureBackend extends GpuBackend {
  /** The recordings in order. */
  readonly captured: Recording[] = [];

  constructor(traits: Traits) {
    let id = 0;
    const acquire = (bytes: number): PooledBuffer => ({ id: id++, buffer: undefined as never, size: sizeClass(bytes) });
    super({
      name: 'capture',
      software: traits.software,
      traits,
      device: { limits: { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 31 } },
      storedAsF16: f16Storage({ kernel, DTypeError }),
      pool: { inUse: 0, peakInUse: 0, acquire, release() {} },
      recorder: { dispatch() {}, write() {}, flush() {}, copy() {} },
    } as unknown as Gpu);
    let now: GpuBackend['recording'];
    Object.defineProperty(this, 'recording', {
      get: () => now,
      set: (recording: typeof now) => {
        now = recording;
        if (recording) this.captured.push(idle(recording.to));
      },
    });
  }

  override async read(storage: Storage): Promise<TypedArray> {
    return viewOf(storage.dtype, new ArrayBuffer(8 * storage.length + 16), 0, storage.length);
  }
}

/** A recording that is neither planned nor replayed. */
const idle = (recording: Recording): Recording =>
  Object.assign(recording, {
    prepare: async () => {},
    build: <I>(inputs: I): I => inputs,
    replay() {},
    release() {},
  });

/** Black pictures of a size. */
const pictures = (count: number, side: number): Pictures => ({
  data: new Uint8Array(count * side * side * 3),
  count,
  height: side,
  width: side,
  names: Array.from({ length: count }, (_, i) => `${i}`),
  skipped: [],
});

/** The dispatches of a step of `config`, on an adapter of these traits. */
export async function captureStep(config: PretrainConfig, traits: Traits): Promise<readonly Dispatch[]> {
  const on = new CaptureBackend(traits);
  const before = useBackend(on);
  const { normal } = Rng.prototype;
  Rng.prototype.normal = () => 0; // nobody reads the weights, and drawing them takes most of the time
  try {
    const side = config.size;
    const training = new Pretraining(config, { train: pictures(config.batch, side), heldOut: pictures(1, side) });
    await training.trial();
    return on.captured.at(-1)!.dispatches;
  } finally {
    Rng.prototype.normal = normal;
    useBackend(before);
  }
}
