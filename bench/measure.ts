import type { Library } from './libraries.js';
import type { Loose, Work } from './record.js';

export interface Contestant {
  readonly library: Library;
  readonly work: Work<Loose>;
}

/** Milliseconds a run: the median of `samples`, each the mean of several runs if one is short. */
export interface Timing {
  readonly ms: number;
  readonly samples: number;
  /** Milliseconds of the first run here, by the clock; the caller has run the work before, to compare results. */
  readonly first: number;
}

/** A sample lasts this long at least, so that waiting for the device does not count. */
const SAMPLE_MS = 20;
const MOST_RUNS = 50;
const MOST_SAMPLES = 15;

/**
 * Times contestants in turn, so that a disturbance meets all of them. By timestamps on the device from the first
 * command to the last if every device can write them, else by the clock until the device is done.
 * Each has `budget` milliseconds, and three samples at least unless one takes longer than that. A first run of
 * more than five budgets is the only one, by the clock.
 */
export async function measure(contestants: readonly Contestant[], budget: number): Promise<Timing[]> {
  const stamped = contestants.every(({ library }) => library.device.features.has('timestamp-query'));
  const racers = [];
  for (const c of contestants) {
    const clock = stamped ? new DeviceClock(c.library.device) : wall;
    const first = await sample(c, wall, 1);
    const second = first > 5 * budget ? first : await sample(c, clock, 1);
    racers.push({ c, clock, first, runs: Math.min(MOST_RUNS, Math.max(1, Math.ceil(SAMPLE_MS / second))), times: first > 5 * budget ? [first] : second > budget ? [second] : [] });
  }
  for (let round = 0; round < MOST_SAMPLES; round++)
    for (const { c, clock, runs, times } of racers) {
      const spent = times.reduce((a, b) => a + b, 0) * runs;
      if (spent > budget && (times.length >= 3 || spent > 3 * budget)) continue;
      if (times.length > 0 && times[0] > 5 * budget) continue;
      times.push((await sample(c, clock, runs)) / runs);
    }
  return racers.map(({ first, times }) => ({ ms: median(times), samples: times.length, first }));
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

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

/** Timestamps of two empty passes around the work, in nanoseconds. */
class DeviceClock implements Clock {
  readonly #device: GPUDevice;
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#set = device.createQuerySet({ type: 'timestamp', count: 2 });
    this.#resolved = device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.#staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  start(): void {
    const encoder = this.#device.createCommandEncoder();
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
