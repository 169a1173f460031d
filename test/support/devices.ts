import './all-variants.js';
import { type Backend, useBackend } from '../../src/backend/backend.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import { ReferenceBackend } from '../../src/backend/reference.js';
import { openGpu } from '../../src/gpu/device.js';

let opened: Promise<GpuBackend> | undefined;

/** One GPU backend a test process, with bounds checks on. */
export const gpu = (): Promise<GpuBackend> => (opened ??= openGpu({ robust: true }).then((g) => new GpuBackend(g)));

/** The same device, with kernels chosen as for a graphics card. */
export const hardware = (): Promise<GpuBackend> =>
  gpu().then(({ gpu: g }) => new GpuBackend({ ...g, traits: { ...g.traits, software: false, parallelGroups: 512 } }));

export const reference = new ReferenceBackend();
export const reference64 = new ReferenceBackend('f64');

/** Runs `fn` with `backend` as the one that new tensors live on. */
export function on<T>(backend: Backend, fn: () => T): T {
  const before = useBackend(backend);
  try {
    return fn();
  } finally {
    useBackend(before);
  }
}
