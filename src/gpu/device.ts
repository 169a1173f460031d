import { DeviceError } from '../core/errors.js';
import { type AdapterChoice, findAdapter } from './adapter.js';
import { BufferPool } from './pool.js';
import { Recorder } from './recorder.js';

/** What a kernel is chosen by. Nothing else in the library asks what adapter this is. */
export interface Traits {
  /** Workgroup memory is plain memory and a barrier is costly: prefer registers over tiles. */
  readonly software: boolean;
  /** Workgroups that keep the adapter busy. */
  readonly parallelGroups: number;
}

/** An open device with its recorder and memory. */
export interface Gpu {
  readonly name: string;
  readonly software: boolean;
  readonly traits: Traits;
  readonly device: GPUDevice;
  readonly recorder: Recorder;
  readonly pool: BufferPool;
}

export interface GpuOptions {
  adapter?: AdapterChoice;
  /** Keep WebGPU's bounds checks in shaders. Off by default in Node; always on in browsers. */
  robust?: boolean;
}

/** Opens a device on the chosen adapter, with the adapter's own buffer limits. */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  const { adapter, name, software } = await findAdapter(options.adapter, options.robust);
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  device.addEventListener('uncapturederror', (event) => {
    failures.set(device, failures.get(device) ?? (event as GPUUncapturedErrorEvent).error.message);
  });
  const traits = { software, parallelGroups: software ? 4 : 512 };
  return { name, software, traits, device, recorder: new Recorder(device), pool: new BufferPool(device) };
}

const failures = new WeakMap<GPUDevice, string>();

/** Throws if WebGPU has reported an error on this device since the last call. */
export function checkDevice(device: GPUDevice): void {
  const failure = failures.get(device);
  failures.delete(device);
  if (failure) throw new DeviceError(`device: WebGPU refused a command; got ${failure.trim()}. Please report this kernel and these shapes.`);
}
