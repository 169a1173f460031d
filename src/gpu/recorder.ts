import { type Kernel, PARAM_SLOT, type ParamValue, packParams } from './kernel.js';
import type { DeviceLoss } from './loss.js';
import { type Compiled, type Constants, Pipelines } from './pipelines.js';
import type { PooledBuffer } from './pool.js';

/** A range of a buffer, as a kernel sees it. `offset` is a multiple of 256, `bytes` of 4. */
export interface Slice {
  readonly pooled: PooledBuffer;
  readonly offset: number;
  readonly bytes: number;
  /** What it was cut from. */
  readonly parent?: Slice;
}

const SLOTS = 2048;
const MAX_BIND_GROUPS = 8192;
/** Small reads come one after another (losses): staging buffers for so many under way are made at once. */
const RING = 4;
const RING_BYTES = 65536;

/** Workgroups as a grid: a side holds at most 65535 of them. */
export function gridOf(groups: number): [x: number, y: number] {
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y];
}

/** The bind group of a dispatch: its buffers, and the buffer that holds its parameters in one of many slots. */
export function bindGroupOf(
  device: GPUDevice,
  layout: GPUBindGroupLayout,
  slices: readonly Slice[],
  params: GPUBuffer,
): GPUBindGroup {
  const storage = slices.map((s) => ({ buffer: s.pooled.buffer, offset: s.offset, size: s.bytes }));
  const entries = [...storage, { buffer: params, size: PARAM_SLOT }].map((resource, binding) => ({
    binding,
    resource,
  }));
  return device.createBindGroup({ layout, entries });
}

/**
 * The only place that encodes work. Dispatches gather in one open compute pass;
 * `flush` submits it. Pipelines and bind groups are made once and found again.
 */
export class Recorder {
  readonly device: GPUDevice;
  readonly loss: DeviceLoss;
  readonly pipelines: Pipelines;
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
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #staging: GPUBuffer[] = [];

  constructor(device: GPUDevice, loss: DeviceLoss) {
    this.device = device;
    this.loss = loss;
    this.#params = device.createBuffer({
      size: SLOTS * PARAM_SLOT,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.pipelines = new Pipelines(device, loss);
  }

  /** Encodes one dispatch of `groups` workgroups (folded into x and y when there are many). */
  dispatch(
    k: Kernel,
    constants: Constants,
    slices: readonly Slice[],
    params: Record<string, ParamValue>,
    groups: number,
  ): void {
    if (groups === 0) return;
    if (this.#slot === SLOTS) this.flush();
    const compiled = this.pipelines.get(k, constants);
    const at = this.#slot++ * PARAM_SLOT;
    packParams(k, params, this.#view, at);
    const pass = this.#openPass();
    if (this.#bound !== compiled) pass.setPipeline(compiled.pipeline);
    this.#bound = compiled;
    pass.setBindGroup(0, this.#bindGroup(compiled, slices), [at]);
    pass.dispatchWorkgroups(...gridOf(groups));
    for (const s of slices) this.#touched.add(s.pooled.buffer);
    this.dispatches++;
  }

  /** Submits commands after everything recorded so far, together with it. */
  submit(commands: GPUCommandBuffer): void {
    this.#submit(this.#finish(), commands);
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

  /** The bytes of `from` as they stand after everything recorded so far. @throws DeviceError if they cannot be read. */
  async read(from: Slice): Promise<ArrayBuffer> {
    const staging = this.#takeStaging(from.bytes);
    this.#closePass().copyBufferToBuffer(from.pooled.buffer, from.offset, staging, 0, from.bytes);
    this.flush();
    const bytes = await this.loss.during(async () => {
      await staging.mapAsync(GPUMapMode.READ, 0, from.bytes);
      return staging.getMappedRange(0, from.bytes).slice(0);
    });
    staging.unmap();
    this.#staging.push(staging);
    return bytes;
  }

  /** Submits what has been recorded. */
  flush(): void {
    const recorded = this.#finish();
    if (recorded) this.#submit(recorded);
  }

  #submit(...commands: (GPUCommandBuffer | undefined)[]): void {
    this.loss.check();
    this.device.queue.submit(commands.filter((c) => c !== undefined));
    this.submits++;
  }

  #finish(): GPUCommandBuffer | undefined {
    if (!this.#encoder) return undefined;
    const encoder = this.#closePass();
    if (this.#slot > 0) this.device.queue.writeBuffer(this.#params, 0, this.#block, 0, this.#slot * PARAM_SLOT);
    this.#encoder = undefined;
    this.#slot = 0;
    this.#touched.clear();
    return encoder.finish();
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
    const make = () =>
      this.device.createBuffer({
        size: Math.ceil(bytes / 256) * 256,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
    if (bytes <= RING_BYTES) for (let i = 1; i < RING; i++) this.#staging.push(make());
    return make();
  }

  #bindGroup(compiled: Compiled, slices: readonly Slice[]): GPUBindGroup {
    let key = `${compiled.id}`;
    for (const s of slices) key += `,${s.pooled.id}+${s.offset}:${s.bytes}`;
    const known = this.#bindGroups.get(key);
    if (known) return known;
    if (this.#bindGroups.size >= MAX_BIND_GROUPS) this.#bindGroups.clear();
    const group = bindGroupOf(this.device, compiled.layout, slices, this.#params);
    this.#bindGroups.set(key, group);
    return group;
  }
}

function padTo4(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  padded.set(data);
  return padded;
}
