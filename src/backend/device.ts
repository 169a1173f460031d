import { type GpuOptions, openGpu } from '../gpu/device.js';
import { type Backend, useBackend } from './backend.js';
import { GpuBackend } from './gpu.js';
import { ReferenceBackend } from './reference.js';

export interface DeviceOptions extends GpuOptions {
  /** `gpu` (default), or `reference`: plain loops on the CPU, for checking. */
  backend?: 'gpu' | 'reference';
}

/**
 * Opens a device and makes it the one that new tensors live on.
 *
 * @throws DeviceError when there is no usable adapter.
 */
export async function device(options: DeviceOptions = {}): Promise<Backend> {
  const opened = options.backend === 'reference' ? new ReferenceBackend() : new GpuBackend(await openGpu(options));
  useBackend(opened);
  return opened;
}
