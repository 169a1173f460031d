import { checkOptions, flag, oneOf } from '../core/check.js';
import { type GpuOptions, openGpu } from '../gpu/device.js';
import { type Backend, useBackend } from './backend.js';
import { GpuBackend } from './gpu.js';
import { loadVariants, triedTraits } from './variants.js';

/** Which device to open. */
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
  checkOptions('device', options, {
    backend: oneOf('gpu', 'reference'),
    adapter: oneOf('any', 'hardware', 'software'),
    robust: flag,
  });
  const opened =
    options.backend === 'reference'
      ? new (await import('./reference.js')).ReferenceBackend()
      : await openTuned(options);
  useBackend(opened);
  return opened;
}

/**
 * A GPU backend that has the variants its adapter needs, and knows what `tune` has measured on this machine. In Node it
 * has them all.
 */
async function openTuned(options: GpuOptions): Promise<GpuBackend> {
  const gpu = await openGpu(options);
  const inNode = globalThis.process?.versions?.node;
  await loadVariants(inNode ? undefined : gpu.traits);
  if (inNode) Object.assign(gpu.traits.tuned, await (await import('./tuning.node.js')).loadTuning(gpu.name));
  const opened = new GpuBackend(gpu);
  Object.assign(gpu.traits, await triedTraits(opened, gpu.device));
  return opened;
}
