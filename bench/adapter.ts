import * as dawn from 'webgpu';
import { findAdapter } from '../src/gpu/adapter.js';

/**
 * Puts a `navigator.gpu` in place as browsers have it, for the peers: Dawn on the adapter that dawngrad takes.
 * Every device that is asked of it, dawngrad's too, can write timestamps if the adapter can.
 *
 * @param robust keeps bounds checks in shaders, as browsers do.
 */
export function provideGpu(robust: boolean): void {
  const gpu = {
    wgslLanguageFeatures: new Set<string>(),
    getPreferredCanvasFormat: () => 'bgra8unorm',
    async requestAdapter(): Promise<GPUAdapter> {
      provide(undefined); // so that findAdapter asks Dawn
      const { adapter } = await findAdapter('any', robust).finally(() => provide(gpu));
      const request = adapter.requestDevice.bind(adapter);
      const extra = (['timestamp-query'] as const).filter((f) => adapter.features.has(f));
      adapter.requestDevice = (d = {}) =>
        request({ ...d, requiredFeatures: [...new Set([...(d.requiredFeatures ?? []), ...extra])] });
      return adapter;
    },
  };
  provide(gpu);
}

/**
 * Runs `fn` where `navigator.gpu` has Dawn's null device, which takes all commands and does no work: what is left is
 * the host's.
 */
export async function onNull<T>(fn: () => Promise<T>): Promise<T> {
  const before = globalThis.navigator?.gpu;
  Object.assign(globalThis, dawn.globals);
  nullGpu ??= dawn.create(['backend=null']);
  provide(nullGpu);
  return fn().finally(() => provide(before));
}

/** Kept, for Dawn ends the process when it is collected. */
let nullGpu: GPU | undefined;

const provide = (gpu: object | undefined): void => {
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'Node', hardwareConcurrency: 2 },
    configurable: true,
    writable: true,
  });
};
