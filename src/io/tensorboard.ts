import { ProtoWriter } from './protobuf.js';

/** A value that TensorBoard draws: a number, a PNG picture, or the distribution of numbers. */
export type Summary =
  | { scalar: number }
  | { png: Uint8Array; width: number; height: number }
  | { histogram: ArrayLike<number> };

/** Fields of tensorflow/core/util/event.proto and framework/summary.proto. */
const EVENT = { time: 1, step: 2, version: 3, summary: 5, session: 7 };
const VALUE = { tag: 1, scalar: 2, image: 4, histogram: 5 };
const [START, RGB] = [1, 3];

type Seconds = number;
const event = (time: Seconds): ProtoWriter => new ProtoWriter().double(EVENT.time, time);

/** The first event of every file. */
export const versionEvent = (time: Seconds): Uint8Array => event(time).text(EVENT.version, 'brain.Event:2').finish();

/** Says that a run goes on with `step`: what was logged of it and of later ones is void. */
export const restartEvent = (time: Seconds, step: number): Uint8Array =>
  event(time)
    .int(EVENT.step, step)
    .message(EVENT.session, (session) => session.int(1, START))
    .finish();

/** Values by their tags, measured at `step`. */
export function summaryEvent(time: Seconds, step: number, values: Record<string, Summary>): Uint8Array {
  const writer = event(time).int(EVENT.step, step);
  return writer
    .message(EVENT.summary, (summary) => {
      for (const [tag, value] of Object.entries(values))
        summary.message(1, (v) => write(v.text(VALUE.tag, tag), value));
    })
    .finish();
}

function write(to: ProtoWriter, value: Summary): void {
  if ('scalar' in value) to.float(VALUE.scalar, value.scalar);
  else if ('png' in value)
    to.message(VALUE.image, (image) => image.int(1, value.height).int(2, value.width).int(3, RGB).bytes(4, value.png));
  else to.message(VALUE.histogram, (histogram) => distribution(histogram, value.histogram));
}

const BINS = 30;

/** Counts in bins of equal width between the least and the greatest value; the bins' upper limits are stored. */
function distribution(to: ProtoWriter, values: ArrayLike<number>): void {
  const sound = Float64Array.from(values).filter(Number.isFinite);
  let [min, max, sum, squares] = [Infinity, -Infinity, 0, 0];
  for (const v of sound) [min, max, sum, squares] = [Math.min(min, v), Math.max(max, v), sum + v, squares + v * v];
  if (sound.length === 0) [min, max] = [0, 0];
  const width = (max - min) / BINS;
  const counts = new Array<number>(width > 0 ? BINS : 1).fill(0);
  for (const v of sound) counts[width > 0 ? Math.min(BINS - 1, Math.floor((v - min) / width)) : 0]++;
  const limits = counts.map((_, i) => (i === counts.length - 1 ? max : min + (i + 1) * width));
  to.double(1, min)
    .double(2, max)
    .double(3, sound.length)
    .double(4, sum)
    .double(5, squares)
    .doubles(6, limits)
    .doubles(7, counts);
}
