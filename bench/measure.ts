import { isSoftware } from '../src/gpu/ask.js';
import type { Library } from './libraries.js';
import type { Loose, Work } from './record.js';

export interface Contestant {
  readonly library: Library;
  readonly work: Work<Loose>;
  /** Milliseconds of a run by the clock, if one was timed after those that compile. */
  readonly warm?: number;
}

/** Milliseconds a run, of samples that are each the mean of several runs if one is short. */
export interface Timing {
  /** The median, and the quartiles around it. */
  readonly ms: number;
  readonly low: number;
  readonly high: number;
  readonly samples: number;
}

/** A sample lasts this long at least, so that waiting for the device does not count. */
const SAMPLE_MS = 20;
const MOST_RUNS = 50;
const MOST_SAMPLES = 11;

/**
 * Times contestants in turn, so that a disturbance meets all of them, and all by one clock: timestamps on the device
 * from the first command to the last if every device can write them and no run is slow, else the time until the device
 * is done. Slow is a run of more than two budgets; that one, the first after those that compile, is then its only
 * sample. Each has `budget` milliseconds, and five samples at least unless they take three budgets.
 */
export async function measure(contestants: readonly Contestant[], budget: number): Promise<Timing[]> {
  const firsts: number[] = [];
  for (const c of contestants) firsts.push(c.warm ?? (await sample(c, wall, 1)));
  const slow = (ms: number) => ms > 2 * budget;
  const stamped =
    contestants.every(({ library }) => library.device.features.has('timestamp-query')) && !firsts.some(slow);
  const racers: { c: Contestant; clock: Clock; runs: number; times: number[]; done: boolean }[] = [];
  for (const [i, c] of contestants.entries()) {
    const clock = stamped ? new DeviceClock(c.library.device) : wall;
    const once = firsts[i] < SAMPLE_MS ? await sample(c, clock, 1) : firsts[i]; // waiting counts in a short one
    racers.push({
      c,
      clock,
      runs: Math.min(MOST_RUNS, Math.max(1, Math.ceil(SAMPLE_MS / once))),
      times: slow(once) ? [once] : [],
      done: slow(once),
    });
  }
  for (let round = 0; round < MOST_SAMPLES; round++)
    for (const racer of racers) {
      if (racer.done) continue;
      const { c, clock, runs, times } = racer;
      times.push((await sample(c, clock, runs)) / runs);
      const spent = times.reduce((a, b) => a + b, 0) * runs;
      racer.done = spent > 3 * budget || (spent > budget && times.length >= 5);
    }
  return racers.map(({ times }) => ({
    ms: quantile(times, 0.5),
    low: quantile(times, 0.25),
    high: quantile(times, 0.75),
    samples: times.length,
  }));
}

/** The value that the part `q` of the samples lies below, between two samples in proportion. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * (sorted[Math.ceil(at)] - sorted[below]);
}

interface Clock {
  start(): void;
  /** After the device is done. */
  read(): Promise<number>;
  stop(): void;
}

async function sample({ library, work }: Contestant, clock: Clock, runs: number): Promise<number> {
  clock.start();
  for (let i = 0; i < runs; i++) library.run(work);
  await library.submit();
  clock.stop();
  await library.done();
  return clock.read();
}

let started = 0;
const wall: Clock = {
  start: () => void (started = performance.now()),
  stop: () => {},
  read: async () => performance.now() - started,
};

/** Keeps a graphics card busy while the host encodes a sample: what is timed is then the device's work alone. */
const SPIN = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(32) fn main(@builtin(local_invocation_index) i: u32) {
  var v = x[i];
  for (var k = 0u; k < 2500000u; k++) { v = fma(v, 0.999, 0.5); }
  x[i] = v;
}`;

/** Timestamps of two empty passes around the work, in nanoseconds. */
class DeviceClock implements Clock {
  readonly #spin?: { pipeline: GPUComputePipeline; group: GPUBindGroup };
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#set = device.createQuerySet({ type: 'timestamp', count: 2 });
    this.#resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.#staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    if (isSoftware(device.adapterInfo)) return;
    const compute = { module: device.createShaderModule({ code: SPIN }), entryPoint: 'main' };
    const pipeline = device.createComputePipeline({ layout: 'auto', compute });
    const buffer = device.createBuffer({ size: 128, usage: GPUBufferUsage.STORAGE });
    const layout = pipeline.getBindGroupLayout(0);
    const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
    this.#spin = { pipeline, group };
  }

  start(): void {
    const encoder = this.#device.createCommandEncoder();
    if (this.#spin) {
      const pass = encoder.beginComputePass();
      pass.setPipeline(this.#spin.pipeline);
      pass.setBindGroup(0, this.#spin.group);
      pass.dispatchWorkgroups(1);
      pass.end();
    }
    encoder.beginComputePass({ timestampWrites: { querySet: this.#set, endOfPassWriteIndex: 0 } }).end();
    this.#device.queue.submit([encoder.finish()]);
  }

  stop(): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.beginComputePass({ timestampWrites: { querySet: this.#set, endOfPassWriteIndex: 1 } }).end();
    encoder.resolveQuerySet(this.#set, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16);
    this.#device.queue.submit([encoder.finish()]);
  }

  async read(): Promise<number> {
    await this.#staging.mapAsync(GPUMapMode.READ);
    const [from, to] = new BigUint64Array(this.#staging.getMappedRange());
    this.#staging.unmap();
    return Number(to - from) / 1e6;
  }
}
