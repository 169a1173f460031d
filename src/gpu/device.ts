import { DeviceError, DTypeError } from '../core/errors.js';
import { type AdapterChoice, findAdapter } from './adapter.js';
import type { StoredAsF16 } from './f16-storage.js';
import { kernel } from './kernel.js';
import type { DeviceLoss } from './loss.js';
import { BufferPool, type Failure } from './pool.js';
import { Recorder } from './recorder.js';
import { shipped } from './tuned.js';

/** What a kernel is chosen by. Nothing else in the library asks what adapter this is. */
export interface Traits {
  /** Workgroup memory is plain memory and a barrier is costly: prefer registers over tiles. */
  readonly software: boolean;
  /** Workgroups that keep the adapter busy. */
  readonly parallelGroups: number;
  /** Kernels may `enable f16`. */
  readonly f16: boolean;
  /** Threads of a subgroup, where the adapter has one size only; otherwise 0. */
  readonly subgroup: number;
  /** Subgroup matrices with f16 factors and an f32 sum, 16 a side, in kernels of 256 threads. */
  readonly subgroupMatrix: boolean;
  /**
   * Set where matrices of f32 may be multiplied as f16 on subgroup matrices: the largest error of sums of 4096, over
   * their root mean square, that a trial showed as the device was opened.
   */
  readonly f32Matrices?: number;
  /** Bytes of workgroup memory. */
  readonly workgroupMemory: number;
  /** Variants by class of shapes, as measured on this adapter: see `table` in src/backend. `tune` adds to it. */
  readonly tuned: Record<string, string>;
}

/** An open device with its recorder and memory. */
export interface Gpu {
  readonly name: string;
  readonly software: boolean;
  readonly traits: Traits;
  readonly device: GPUDevice;
  readonly recorder: Recorder;
  readonly pool: BufferPool;
  /** How kernels work on halves, where the adapter has f16. */
  readonly storedAsF16?: StoredAsF16;
  readonly failure: Failure;
  readonly loss: DeviceLoss;
}

export interface GpuOptions {
  adapter?: AdapterChoice;
  /** Keep WebGPU's bounds checks in shaders. Off by default in Node; always on in browsers. */
  robust?: boolean;
}

/** Opens a device on the chosen adapter, with the adapter's own buffer limits. */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  const { adapter, name, software } = await findAdapter(options.adapter, options.robust);
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = adapter.limits;
  const requiredLimits = { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize };
  const requiredFeatures = wanted.filter((f) => adapter.features.has(f));
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  const failure: Failure = {};
  device.addEventListener('uncapturederror', (event) => {
    const { message } = (event as GPUUncapturedErrorEvent).error;
    failure.error ??= new DeviceError(
      `device: WebGPU refused a command; got ${message.trim()}. Please report this kernel and these shapes.`,
    );
  });
  const traits = { ...traitsOf(adapter, device, software), tuned: { ...shipped[name] } };
  const storedAsF16 = traits.f16 ? (await import('./f16-storage.js')).f16Storage({ kernel, DTypeError }) : undefined;
  const loss = new (await import('./loss.js')).DeviceLoss(device, name);
  const [recorder, pool] = [new Recorder(device, loss), new BufferPool(device, failure)];
  return { name, software, traits, device, recorder, pool, storedAsF16, failure, loss };
}

/** Features kernels have a use for, asked for where the adapter has them. */
const wanted = [
  'shader-f16',
  'subgroups',
  'chromium-experimental-subgroup-matrix',
  'timestamp-query',
] as GPUFeatureName[];

/** What Dawn tells of subgroups beyond the standard. */
interface SubgroupInfo {
  subgroupMinSize?: number;
  subgroupMaxSize?: number;
  subgroupMatrixConfigs?: readonly {
    M: number;
    N: number;
    K: number;
    componentType: string;
    resultComponentType: string;
  }[];
}

function traitsOf({ info }: GPUAdapter, { features, limits }: GPUDevice, software: boolean): Omit<Traits, 'tuned'> {
  const { subgroupMinSize = 0, subgroupMaxSize = 0, subgroupMatrixConfigs = [] } = info as SubgroupInfo;
  const has = (feature: string) => features.has(feature as GPUFeatureName);
  const f16 = has('shader-f16');
  return {
    software,
    parallelGroups: software ? 4 : 512,
    f16,
    subgroup: has('subgroups') && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0,
    subgroupMatrix:
      f16 &&
      has('chromium-experimental-subgroup-matrix') &&
      256 % Math.max(1, subgroupMaxSize) === 0 &&
      subgroupMatrixConfigs.some(
        (c) => c.M === 16 && c.N === 16 && c.K === 16 && c.componentType === 'f16' && c.resultComponentType === 'f32',
      ),
    workgroupMemory: limits.maxComputeWorkgroupStorageSize,
  };
}

/** Throws if WebGPU has reported an error on this device since the last call. */
export function checkDevice({ failure }: Gpu): void {
  const { error } = failure;
  failure.error = undefined;
  if (error) throw error;
}
