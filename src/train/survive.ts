import { type Backend, backend } from '../backend/backend.js';
import { DeviceLostError } from '../core/errors.js';

/** A device that is lost so often in so many milliseconds is not opened again. */
const [MOST, WITHIN] = [3, 600_000];

export interface SurviveOptions {
  /** Opens a device, of the same kind if there is one, and makes it the one of new tensors. */
  open(): Promise<Backend>;
  /** Told what happened, in a sentence. */
  say(text: string): void;
  /** What there is to go on from when no device is opened any more, in a sentence. */
  saved?: string;
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number;
}

/**
 * Runs `work`; if the device is lost meanwhile, opens another and runs it again, which goes on from what it has saved.
 * @throws DeviceLostError when the device was lost three times in ten minutes; what else `work` throws on a device that
 * is not lost.
 */
export async function survive<T>(work: () => Promise<T>, options: SurviveOptions): Promise<T> {
  const { open, say, saved = 'Nothing is lost but its work: start it again.', now = () => performance.now() } = options;
  const losses: number[] = [];
  for (;;) {
    const on = backend();
    try {
      return await work();
    } catch (error) {
      const lost = error instanceof DeviceLostError ? error : on.lost;
      if (!lost) throw error;
      losses.push(now());
      if (losses.length >= MOST && losses.at(-1)! - losses.at(-MOST)! <= WITHIN)
        throw new DeviceLostError(
          `device: it must not be lost ${MOST} times in ten minutes; got the third loss. ${lost.message} ${saved}`,
        );
      say(`${lost.message.replace(/ Open a device again.*$/, '')} Opening a device again.`);
      const next = await open();
      say(
        next.name === on.name
          ? `Going on on ${next.name}.`
          : `Going on on ${next.name} in place of ${on.name}: results may differ in their last bits.`,
      );
    }
  }
}
