import './all-variants.js';
import { GpuBackend } from '../../src/backend/gpu.js';
import type { Gpu, Traits } from '../../src/gpu/device.js';
import { packParams } from '../../src/gpu/kernel.js';
import { type PooledBuffer, sizeClass } from '../../src/gpu/pool.js';
import { gridOf, type Recorder } from '../../src/gpu/recorder.js';
import { checkBindings, storedAsF16 } from './bindings.js';
import { workgroupOf } from './workgroup.js';

/**
 * A GPU backend of any traits that chooses, sizes and checks every dispatch, and computes nothing: no adapter is
 * needed.
 */
export function dry(traits: Traits, threads = 256, binding = 2 ** 27): GpuBackend {
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
    const asked = workgroupOf(k, constants);
    if (asked.threads > threads || asked.bytes > traits.workgroupMemory)
      throw new Error(`kernel ${k.name}: a workgroup must fit; got ${asked.threads} threads, ${asked.bytes} bytes`);
    packParams(k, params, block, 0);
  };
  const device = { limits: { maxBufferSize: 2 * binding, maxStorageBufferBindingSize: binding } };
  return new GpuBackend({
    name: 'dry',
    device,
    software: traits.software,
    traits,
    pool,
    storedAsF16,
    recorder: { dispatch, write() {}, flush() {} },
  } as unknown as Gpu);
}

/**
 * Traits that adapters may have: every size of subgroups, with and without f16, tensor cores and much workgroup memory.
 */
const untried: readonly Traits[] = [true, false].flatMap((software) =>
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

/** Tensor cores that a trial has shown f32 on. */
const tried = untried.flatMap((t) => (t.subgroupMatrix && t.subgroup === 32 ? [{ ...t, f32Matrices: 4e-5 }] : []));

export const adapters: readonly Traits[] = [...untried, ...tried];

/** Adapters by name: what Dawn tells of them, and the least that WebGPU promises. */
export const described: Readonly<Record<string, { traits: Traits; threads: number; binding: number }>> = {
  'NVIDIA H200': {
    traits: { ...card(32), f16: true, subgroupMatrix: true, f32Matrices: 4e-5, workgroupMemory: 49152 },
    threads: 256,
    binding: 2 ** 31,
  },
  'Apple M-series': { traits: { ...card(32), f16: true, workgroupMemory: 32768 }, threads: 256, binding: 2 ** 31 },
  'Intel Arc': { traits: { ...card(0), f16: true, workgroupMemory: 32768 }, threads: 256, binding: 2 ** 31 },
  'WebGPU defaults': { traits: { ...card(0), workgroupMemory: 16384 }, threads: 256, binding: 2 ** 27 },
};

/** A graphics card without halves. */
function card(subgroup: number): Traits {
  return {
    software: false,
    parallelGroups: 512,
    f16: false,
    subgroup,
    subgroupMatrix: false,
    workgroupMemory: 16384,
    tuned: {},
  };
}

/**
 * SwiftShader, lavapipe, a card with tensor cores, the same that multiplies f32 on them, one without f16, and one with
 * the least that WebGPU promises.
 */
export const usual: readonly Traits[] = [
  [true, 4, 0, 32768],
  [true, 8, 1, 32768],
  [false, 32, 2, 49152],
  [false, 32, 3, 49152],
  [false, 0, 0, 32768],
  [false, 0, 1, 16384],
].map(
  ([software, subgroup, halves, workgroupMemory]) =>
    adapters.find(
      (t) =>
        t.software === software &&
        t.subgroup === subgroup &&
        Number(t.f16) + Number(t.subgroupMatrix) + Number(t.f32Matrices !== undefined) === halves &&
        t.workgroupMemory === workgroupMemory &&
        t.parallelGroups === (software ? 4 : 512),
    )!,
);
