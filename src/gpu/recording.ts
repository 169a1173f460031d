import { type Kernel, PARAM_SLOT, type ParamValue, packParams } from './kernel.js';
import type { Compiled, Constants } from './pipelines.js';
import { mostAlive, planMemory } from './plan.js';
import type { BufferPool, PooledBuffer } from './pool.js';
import { bindGroupOf, gridOf, type Recorder, type Slice } from './recorder.js';

/** A buffer of a recording. Which memory it is, the plan says. */
export class RecordedBuffer implements PooledBuffer {
  id = -1;
  buffer!: GPUBuffer;
  size: number;
  /** Places of the first and the last dispatch that use it. */
  first = Infinity;
  last = -1;
  /** Some dispatch writes it. */
  written = false;
  /** It has memory of its own: inputs, constants, and what is `owned`. */
  fixed = false;
  /** It belongs to a tensor that outlives the call. */
  owned = false;

  /** How many came before it. */
  readonly place: number;

  constructor(bytes: number, place: number) {
    this.size = bytes;
    this.place = place;
  }

  /** Lies in `memory`, which may have been another recording's. */
  takes({ id, buffer, size }: PooledBuffer): void {
    Object.assign(this, { id, buffer, size });
  }
}

/**
 * Command buffers encoded at once. A run takes one; all are the same, and those that are encoded one after the other
 * find in the processor's caches what work on the device between two steps has pushed out of them.
 */
export const AHEAD = 8;
/** Inputs up to this many bytes travel together, in one write. */
const SMALL = 65536;

/** One dispatch of a recording. */
export interface Dispatch {
  /** The primitive that asked for it, and the floating-point operations it does, where known. */
  readonly op: string;
  readonly flops?: number;
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly slices: readonly Slice[];
  readonly params: Uint8Array;
  readonly groups: number;
}

/** A dispatch as the encoder takes it. */
export interface Ready {
  readonly compiled: Compiled;
  readonly group: GPUBindGroup;
  /** Where the parameters are in their buffer, as `setBindGroup` wants it. */
  readonly offset: readonly [number];
  readonly x: number;
  readonly y: number;
}

/** Encodes `d` after `before` in the same pass. */
export function encode(pass: GPUComputePassEncoder, d: Ready, before?: Ready): void {
  if (d.compiled !== before?.compiled) pass.setPipeline(d.compiled.pipeline);
  pass.setBindGroup(0, d.group, d.offset);
  pass.dispatchWorkgroups(d.x, d.y);
}

/** Dispatches written down without being run, then planned once and run any number of times without allocating. */
export class Recording {
  readonly dispatches: Dispatch[] = [];
  readonly constants: { to: Slice; data: Uint8Array }[] = [];
  /** Where what it returns lies. */
  results: readonly Slice[] = [];
  /** Bytes of the tensors that live in the recording: as planned, and alive at the worst moment. */
  memory = { planned: 0, live: 0 };
  ready: Ready[] = [];
  readonly #recorder: Recorder;
  readonly #pool: BufferPool;
  readonly #buffers = new Set<RecordedBuffer>();
  #places: PooledBuffer[] = [];
  #params?: GPUBuffer;
  /** What every run begins by copying into place: small inputs, and constants that it overwrites. */
  #copies: { from: Slice; to: Slice }[] = [];
  #encoded: GPUCommandBuffer[] = [];
  /** How many to encode next: a recording may be run once only. */
  #ahead = 1;

  constructor(recorder: Recorder, pool: BufferPool) {
    this.#recorder = recorder;
    this.#pool = pool;
  }

  alloc(bytes: number): RecordedBuffer {
    const buffer = new RecordedBuffer(bytes, this.#buffers.size);
    this.#buffers.add(buffer);
    return buffer;
  }

  owns(slice: Slice): boolean {
    return this.#buffers.has(slice.pooled as RecordedBuffer);
  }

  /** Values that every run begins with. False if a dispatch uses the buffer already. */
  constant(to: Slice, data: Uint8Array): boolean {
    const buffer = to.pooled as RecordedBuffer;
    if (buffer.last >= 0) return false;
    buffer.fixed = true;
    this.constants.push({ to, data: data.slice() });
    return true;
  }

  dispatch(d: Omit<Dispatch, 'params'>, values: Record<string, ParamValue>): void {
    if (d.groups === 0) return;
    const params = new Uint8Array(PARAM_SLOT);
    packParams(d.kernel, values, new DataView(params.buffer), 0);
    const at = this.dispatches.push({ ...d, params }) - 1;
    d.slices.forEach((slice, i) => {
      if (!this.owns(slice)) return;
      const buffer = slice.pooled as RecordedBuffer;
      buffer.first = Math.min(buffer.first, at);
      buffer.last = at;
      buffer.written ||= d.kernel.access[i] === 'w';
    });
  }

  /** Makes the pipelines in parallel; without it, `build` makes them one after the other. */
  prepare(): Promise<void> {
    return this.#recorder.pipelines.prepare(this.dispatches);
  }

  /** Gives every buffer its memory and makes all that a run needs. Returns where each input's values go. */
  build(inputs: readonly Slice[] = []): Slice[] {
    this.#placeBuffers();
    const { device, pipelines } = this.#recorder;
    const params = (this.#params = device.createBuffer({
      size: Math.max(1, this.dispatches.length) * PARAM_SLOT,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    }));
    const block = new Uint8Array(params.size);
    this.dispatches.forEach((d, i) => block.set(d.params, i * PARAM_SLOT));
    device.queue.writeBuffer(params, 0, block);
    this.ready = this.dispatches.map(({ kernel, constants, slices, groups }, i) => {
      const compiled = pipelines.get(kernel, constants);
      const [x, y] = gridOf(groups);
      return { compiled, group: bindGroupOf(device, compiled.layout, slices, params), offset: [i * PARAM_SLOT], x, y };
    });
    return this.#stage(inputs);
  }

  /** Gives small inputs and constants that a run overwrites a place in one buffer. */
  #stage(inputs: readonly Slice[]): Slice[] {
    const restored = this.constants.filter(({ to }) => (to.pooled as RecordedBuffer).written);
    const staged = [...inputs.filter(({ bytes }) => bytes <= SMALL), ...restored.map(({ to }) => to)];
    const starts: number[] = [];
    const total = staged.reduce((at, { bytes }) => (starts.push(at), at + Math.ceil(bytes / 256) * 256), 0);
    if (total > 0) this.#places.push(this.#pool.acquire(total));
    const pooled = this.#places.at(-1)!;
    this.#copies = staged.map((to, i) => ({ from: { pooled, offset: starts[i], bytes: to.bytes }, to }));
    const place = (to: Slice) => this.#copies.find((c) => c.to === to)?.from ?? to;
    for (const { to, data } of this.constants) this.#recorder.write(place(to), data);
    return inputs.map(place);
  }

  #placeBuffers(): void {
    const used = [...this.#buffers].filter((b) => b.fixed || b.last >= 0);
    const lifetimes = used.map(({ size, first, last, fixed }) =>
      fixed ? { size, first: 0, last: this.dispatches.length } : { size, first, last },
    );
    const shared = used.filter((b) => !b.fixed);
    const { places, sizes } = planMemory(shared);
    this.#places = sizes.map((bytes) => this.#pool.acquire(bytes));
    shared.forEach((b, i) => b.takes(this.#places[places[i]]));
    for (const b of used) {
      if (!b.fixed) continue;
      const own = this.#pool.acquire(b.size);
      b.takes(own);
      if (!b.owned) this.#places.push(own);
    }
    const planned =
      this.#places.reduce((sum, p) => sum + p.size, 0) + used.reduce((sum, b) => sum + (b.owned ? b.size : 0), 0);
    this.memory = { planned, live: mostAlive(lifetimes) };
  }

  /** Encodes what comes before the first dispatch of a run. */
  encodeCopies(encoder: GPUCommandEncoder): void {
    for (const { from, to } of this.#copies)
      encoder.copyBufferToBuffer(from.pooled.buffer, from.offset, to.pooled.buffer, to.offset, to.bytes);
  }

  /** Runs everything, in one pass and one submit. */
  replay(): void {
    if (this.#encoded.length === 0) for (let i = 0; i < this.#ahead; i++) this.#encoded.push(this.#encode());
    this.#ahead = AHEAD;
    this.#recorder.submit(this.#encoded.pop()!);
  }

  #encode(): GPUCommandBuffer {
    const encoder = this.#recorder.device.createCommandEncoder();
    this.encodeCopies(encoder);
    const pass = encoder.beginComputePass();
    let before: Ready | undefined;
    for (const d of this.ready) {
      encode(pass, d, before);
      before = d;
    }
    pass.end();
    return encoder.finish();
  }

  /** Gives the memory back, but for what tensors still hold. */
  release(): void {
    for (const place of this.#places) this.#pool.release(place);
    this.#params?.destroy();
    this.#places = [];
    this.ready = [];
    this.#encoded = [];
  }

  /** What this recording does otherwise than `other`, or undefined if both do the same; see `Difference`. */
  difference(other: Recording): { what: string; alike: boolean; upload?: number } | undefined {
    const [mine, theirs] = [this.dispatches, other.dispatches];
    const same = (a: readonly Slice[], b: readonly Slice[]) => firstOther(a, b, (s, t) => this.#lies(s, other, t)) < 0;
    const older = (a: Dispatch, b: Dispatch) =>
      a.slices.some((s, i) => s.pooled === b.slices[i].pooled && other.owns(s)); // made there
    const alike = firstOther(mine, theirs, (a, b) => sameKernel(a, b) && !older(a, b)) < 0;
    const upload = firstOther(this.constants, other.constants, (a, b) => sameBytes(a.data, b.data));
    if (upload >= 0) return { what: `upload ${upload + 1}, with other values`, alike, upload };
    const sameWork = (a: Dispatch, b: Dispatch) =>
      a.groups === b.groups && sameBytes(a.params, b.params) && same(a.slices, b.slices);
    const at = firstOther(mine, theirs, (a, b) => sameKernel(a, b) && sameWork(a, b));
    if (at >= 0)
      return { what: `${(mine[at] ?? theirs[at]).op}, dispatch ${at}, with other parameters or tensors`, alike };
    return same(this.results, other.results) ? undefined : { what: 'other tensors as results', alike };
  }

  /**
   * Whether a slice lies where `t` does in `other`: in the buffer made at the same point, or in the same memory from
   * outside.
   */
  #lies(s: Slice, other: Recording, t: Slice): boolean {
    const whole = (r: Recording, x: Slice) => (r.owns(x) ? (x.pooled as RecordedBuffer).place : rootOf(x));
    return s.offset === t.offset && s.bytes === t.bytes && whole(this, s) === whole(other, t);
  }
}

const rootOf = (s: Slice): Slice => (s.parent ? rootOf(s.parent) : s);
const sameKernel = (a: Dispatch, b: Dispatch): boolean =>
  a.kernel === b.kernel && JSON.stringify(a.constants) === JSON.stringify(b.constants);

/** Where two lists differ first, or -1. */
function firstOther<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): number {
  const at = a.findIndex((x, i) => i >= b.length || !same(x, b[i]));
  return at < 0 && a.length < b.length ? a.length : at;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);
