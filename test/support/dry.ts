import './all-variants.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import type { Gpu, Traits } from '../../src/gpu/device.js';
import { packParams } from '../../src/gpu/kernel.js';
import { type PooledBuffer, sizeClass } from '../../src/gpu/pool.js';
import { gridOf, type Recorder } from '../../src/gpu/recorder.js';
import { checkBindings, workgroupOf } from './bindings.js';

/**
 * A GPU backend of any traits that chooses, sizes and checks every dispatch, and computes nothing: no adapter is
 * needed.
 */
export function dry(traits: Traits): GpuBackend {
  let id = 0;
  const pool = {
    inUse: 0,
    peakInUse: 0,
    acquire: (bytes: number): PooledBuffer => ({ id: id++, buffer: undefined as never, size: sizeClass(bytes) }),
    release() {},
  };
  const block = new DataView(new ArrayBuffer(256));
  const dispatch: Recorder['dispatch'] = (k, constants, slices, params, groups) => {
    if (!(Number.isInteger(groups) && groups >= 0 && gridOf(groups)[1] <= 65535))
      throw new Error(`kernel ${k.name}: groups must be a whole number; got ${groups}`);
    if (groups === 0) return;
    checkBindings(k, slices);
    const { threads, bytes } = workgroupOf(k, constants);
    if (threads > 256 || bytes > traits.workgroupMemory)
      throw new Error(
        `kernel ${k.name}: a workgroup must have at most 256 threads and ${traits.workgroupMemory} bytes; ` +
          `got ${threads} and ${bytes}`,
      );
    packParams(k, params, block, 0);
  };
  const device = { limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 } };
  return new GpuBackend({
    name: 'dry',
    device,
    software: traits.software,
    traits,
    pool,
    recorder: { dispatch, write() {}, flush() {} },
  } as unknown as Gpu);
}

/**
 * Traits that adapters may have: every size of subgroups, with and without f16, tensor cores and much workgroup memory.
 */
export const adapters: readonly Traits[] = [true, false].flatMap((software) =>
  [0, 4, 8, 16, 32, 64].flatMap((subgroup) =>
    [
      [false, false],
      [true, false],
      [true, true],
    ].flatMap(([f16, subgroupMatrix]) =>
      [16384, 32768, 49152].flatMap((workgroupMemory) =>
        [4, 512].map((parallelGroups) => ({
          software,
          parallelGroups,
          f16,
          subgroup,
          subgroupMatrix,
          workgroupMemory,
          tuned: {},
        })),
      ),
    ),
  ),
);

/** SwiftShader, lavapipe, a card with tensor cores, one without f16, and one with the least that WebGPU promises. */
export const usual: readonly Traits[] = [
  [true, 4, 0, 32768],
  [true, 8, 1, 32768],
  [false, 32, 2, 49152],
  [false, 0, 0, 32768],
  [false, 0, 1, 16384],
].map(
  ([software, subgroup, halves, workgroupMemory]) =>
    adapters.find(
      (t) =>
        t.software === software &&
        t.subgroup === subgroup &&
        Number(t.f16) + Number(t.subgroupMatrix) === halves &&
        t.workgroupMemory === workgroupMemory &&
        t.parallelGroups === (software ? 4 : 512),
    )!,
);
