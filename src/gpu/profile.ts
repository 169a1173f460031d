import type { Gpu } from './device.js';
import { encode, type Ready, type Recording } from './recording.js';

type Timed = Pick<Gpu, 'device' | 'loss'>;

/** When a dispatch ran on the device, in microseconds since the first one began. */
export interface Span {
  readonly start: number;
  readonly microseconds: number;
}

/** Dispatches of one query set, which holds 4096 timestamps. */
const MOST = 2048;

/**
 * Runs a recording with a pass for each dispatch and tells when each ran: by the device's timestamps where it can
 * write them, else by the host's clock from submit to done, which includes the way there and back.
 */
export async function timeDispatches({ device, loss }: Timed, recording: Recording): Promise<Span[]> {
  const encoder = device.createCommandEncoder();
  recording.encodeCopies(encoder);
  device.queue.submit([encoder.finish()]);
  if (!device.features.has('timestamp-query')) return byClock({ device, loss }, recording.ready);
  const spans: Span[] = [];
  for (let at = 0; at < recording.ready.length; at += MOST)
    spans.push(...(await byTimestamps({ device, loss }, recording.ready.slice(at, at + MOST))));
  const first = spans[0]?.start ?? 0;
  return spans.map(({ start, microseconds }) => ({ start: start - first, microseconds }));
}

async function byTimestamps({ device, loss }: Timed, ready: readonly Ready[]): Promise<Span[]> {
  const count = 2 * ready.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({
    size: 8 * count,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({ size: 8 * count, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  ready.forEach((d, i) => {
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
    });
    encode(pass, d);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count);
  device.queue.submit([encoder.finish()]);
  const stamps = await loss.during(async () => {
    await staging.mapAsync(GPUMapMode.READ);
    return new BigInt64Array(staging.getMappedRange().slice(0));
  });
  for (const used of [querySet, resolved, staging]) used.destroy();
  // some drivers let the end of a pass come out before its begin by a tick
  return ready.map((_, i) => ({
    start: Number(stamps[2 * i]) / 1000,
    microseconds: Math.max(0, Number(stamps[2 * i + 1] - stamps[2 * i])) / 1000,
  }));
}

async function byClock({ device, loss }: Timed, ready: readonly Ready[]): Promise<Span[]> {
  const spans: Span[] = [];
  await loss.during(() => device.queue.onSubmittedWorkDone());
  const began = performance.now();
  for (const d of ready) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, d);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await loss.during(() => device.queue.onSubmittedWorkDone());
    spans.push({ start: 1000 * (start - began), microseconds: 1000 * (performance.now() - start) });
  }
  return spans;
}
