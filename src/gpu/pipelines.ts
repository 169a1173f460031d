import type { Kernel } from './kernel.js';
import type { DeviceLoss } from './loss.js';

export type Constants = Record<string, number>;

export interface Compiled {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines of a device, each made once, by kernel and constants. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #loss: DeviceLoss;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** By kernel: pipelines of other constants share its text, checked once. */
  readonly #modules = new Map<Kernel, GPUShaderModule>();
  readonly #compiled = new Map<string, Compiled>();

  constructor(device: GPUDevice, loss: DeviceLoss) {
    this.#device = device;
    this.#loss = loss;
  }

  get(k: Kernel, constants: Constants): Compiled {
    const key = keyOf(k, constants);
    return (
      this.#compiled.get(key) ?? this.#keep(key, k, this.#device.createComputePipeline(this.#describe(k, constants)))
    );
  }

  /** Makes all of these that are missing, in parallel where the driver can. */
  async prepare(wanted: Iterable<{ kernel: Kernel; constants: Constants }>): Promise<void> {
    const missing = new Map<string, { kernel: Kernel; constants: Constants }>();
    for (const w of wanted)
      if (!this.#compiled.has(keyOf(w.kernel, w.constants))) missing.set(keyOf(w.kernel, w.constants), w);
    const make = async ([key, { kernel, constants }]: [string, { kernel: Kernel; constants: Constants }]) => {
      const pipeline = await this.#loss.during(() =>
        this.#device.createComputePipelineAsync(this.#describe(kernel, constants)),
      );
      if (!this.#compiled.has(key)) this.#keep(key, kernel, pipeline);
    };
    await Promise.all([...missing].map(make));
  }

  #keep(key: string, k: Kernel, pipeline: GPUComputePipeline): Compiled {
    const compiled = { id: this.#compiled.size, pipeline, layout: this.#layoutOf(k.access) };
    this.#compiled.set(key, compiled);
    return compiled;
  }

  #describe(k: Kernel, constants: Constants): GPUComputePipelineDescriptor {
    const module = this.#modules.get(k) ?? this.#device.createShaderModule({ label: k.name, code: k.code });
    this.#modules.set(k, module);
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layoutOf(k.access)] });
    return { label: k.name, layout, compute: { module, constants } };
  }

  #layoutOf(access: string): GPUBindGroupLayout {
    const known = this.#layouts.get(access);
    if (known) return known;
    const layout = this.#device.createBindGroupLayout({ entries: layoutEntries(access) });
    this.#layouts.set(access, layout);
    return layout;
  }
}

/** Storage buffers, and after them the parameters of one dispatch, found by a dynamic offset. */
export function layoutEntries(access: string): GPUBindGroupLayoutEntry[] {
  const storage = [...access].map(
    (a): GPUBufferBindingLayout => ({ type: a === 'r' ? 'read-only-storage' : 'storage' }),
  );
  const params: GPUBufferBindingLayout = { type: 'uniform', hasDynamicOffset: true };
  return [...storage, params].map((buffer, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer }));
}

const keyOf = (k: Kernel, constants: Constants): string => `${k.name}${JSON.stringify(constants)}`;
