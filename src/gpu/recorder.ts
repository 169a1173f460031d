import { type Kernel, PARAM_SLOT, type ParamValue, packParams } from './kernel.js';
import type { PooledBuffer } from './pool.js';

/** A range of a buffer, as a kernel sees it. `offset` is a multiple of 256, `bytes` of 4. */
export interface Slice {
  readonly pooled: PooledBuffer;
  readonly offset: number;
  readonly bytes: number;
}

export type Constants = Record<string, number>;

interface Compiled {
  id: number;
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

const SLOTS = 2048;
const MAX_GROUPS = 65535;
const MAX_BIND_GROUPS = 8192;

/**
 * The only place that encodes work. Dispatches gather in one open compute pass;
 * `flush` submits it. Pipelines and bind groups are made once and found again.
 */
export class Recorder {
  readonly device: GPUDevice;
  dispatches = 0;
  submits = 0;
  #encoder?: GPUCommandEncoder;
  #pass?: GPUComputePassEncoder;
  #bound?: Compiled;
  #touched = new Set<GPUBuffer>();
  #slot = 0;
  readonly #block = new ArrayBuffer(SLOTS * PARAM_SLOT);
  readonly #view = new DataView(this.#block);
  readonly #params: GPUBuffer;
  readonly #paramsLayout: GPUBindGroupLayout;
  readonly #paramsGroup: GPUBindGroup;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #compiled = new Map<string, Compiled>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #staging: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.device = device;
    this.#params = device.createBuffer({ size: SLOTS * PARAM_SLOT, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    const buffer = { type: 'uniform', hasDynamicOffset: true, minBindingSize: 0 } as const;
    this.#paramsLayout = device.createBindGroupLayout({ entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer }] });
    const resource = { buffer: this.#params, size: PARAM_SLOT };
    this.#paramsGroup = device.createBindGroup({ layout: this.#paramsLayout, entries: [{ binding: 0, resource }] });
  }

  /** Encodes one dispatch of `groups` workgroups (folded into x and y when there are many). */
  dispatch(k: Kernel, constants: Constants, slices: readonly Slice[], params: Record<string, ParamValue>, groups: number): void {
    if (groups === 0) return;
    if (this.#slot === SLOTS) this.flush();
    const compiled = this.#compile(k, constants);
    const at = this.#slot++ * PARAM_SLOT;
    packParams(k, params, this.#view, at);
    const pass = this.#openPass();
    if (this.#bound !== compiled) pass.setPipeline(compiled.pipeline);
    this.#bound = compiled;
    pass.setBindGroup(0, this.#bindGroup(compiled, slices));
    pass.setBindGroup(1, this.#paramsGroup, [at]);
    const y = Math.ceil(groups / MAX_GROUPS);
    pass.dispatchWorkgroups(Math.ceil(groups / y), y);
    for (const s of slices) this.#touched.add(s.pooled.buffer);
    this.dispatches++;
  }

  copy(from: Slice, to: Slice): void {
    const encoder = this.#closePass();
    encoder.copyBufferToBuffer(from.pooled.buffer, from.offset, to.pooled.buffer, to.offset, from.bytes);
    this.#touched.add(from.pooled.buffer).add(to.pooled.buffer);
  }

  /** Uploads `data`, after any recorded work that uses the buffer. */
  write(to: Slice, data: Uint8Array): void {
    if (this.#touched.has(to.pooled.buffer)) this.flush();
    const padded = data.byteLength % 4 === 0 ? data : padTo4(data);
    this.device.queue.writeBuffer(to.pooled.buffer, to.offset, padded as Uint8Array<ArrayBuffer>);
  }

  /** The bytes of `from` as they stand after everything recorded so far. */
  async read(from: Slice): Promise<ArrayBuffer> {
    const staging = this.#takeStaging(from.bytes);
    this.#closePass().copyBufferToBuffer(from.pooled.buffer, from.offset, staging, 0, from.bytes);
    this.flush();
    await staging.mapAsync(GPUMapMode.READ, 0, from.bytes);
    const bytes = staging.getMappedRange(0, from.bytes).slice(0);
    staging.unmap();
    this.#staging.push(staging);
    return bytes;
  }

  /** Submits what has been recorded. */
  flush(): void {
    if (!this.#encoder) return;
    this.#closePass();
    if (this.#slot > 0) this.device.queue.writeBuffer(this.#params, 0, this.#block, 0, this.#slot * PARAM_SLOT);
    this.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#slot = 0;
    this.#touched.clear();
    this.submits++;
  }

  #openPass(): GPUComputePassEncoder {
    this.#encoder ??= this.device.createCommandEncoder();
    return (this.#pass ??= this.#encoder.beginComputePass());
  }

  #closePass(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = this.#bound = undefined;
    return (this.#encoder ??= this.device.createCommandEncoder());
  }

  #takeStaging(bytes: number): GPUBuffer {
    const at = this.#staging.findIndex((b) => b.size >= bytes && b.size <= 4 * bytes + 256);
    if (at >= 0) return this.#staging.splice(at, 1)[0];
    return this.device.createBuffer({ size: Math.ceil(bytes / 256) * 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  #compile(k: Kernel, constants: Constants): Compiled {
    const key = `${k.name}${JSON.stringify(constants)}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const layout = this.#layoutOf(k.access);
    const module = this.device.createShaderModule({ label: k.name, code: k.code });
    const pipeline = this.device.createComputePipeline({
      label: k.name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout, this.#paramsLayout] }),
      compute: { module, constants },
    });
    const compiled = { id: this.#compiled.size, pipeline, layout };
    this.#compiled.set(key, compiled);
    return compiled;
  }

  #layoutOf(access: string): GPUBindGroupLayout {
    const known = this.#layouts.get(access);
    if (known) return known;
    const entries = [...access].map((a, binding) => {
      const type: GPUBufferBindingType = a === 'r' ? 'read-only-storage' : 'storage';
      return { binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } };
    });
    const layout = this.device.createBindGroupLayout({ entries });
    this.#layouts.set(access, layout);
    return layout;
  }

  #bindGroup(compiled: Compiled, slices: readonly Slice[]): GPUBindGroup {
    let key = `${compiled.id}`;
    for (const s of slices) key += `,${s.pooled.id}+${s.offset}:${s.bytes}`;
    const known = this.#bindGroups.get(key);
    if (known) return known;
    if (this.#bindGroups.size >= MAX_BIND_GROUPS) this.#bindGroups.clear();
    const entries = slices.map((s, binding) => ({
      binding,
      resource: { buffer: s.pooled.buffer, offset: s.offset, size: s.bytes },
    }));
    const group = this.device.createBindGroup({ layout: compiled.layout, entries });
    this.#bindGroups.set(key, group);
    return group;
  }
}

function padTo4(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  padded.set(data);
  return padded;
}
