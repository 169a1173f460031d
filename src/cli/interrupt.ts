/** A terminal's Ctrl-C may reach a process twice, by its group and by npm: no second wish. */
const SAME_WISH_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work with a signal that is given when the process is asked to stop for the first time; a second time it ends at
 * once, as it would have without this.
 */
export async function interruptible<T>(
  say: (text: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let first = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      first = performance.now();
      say('Stopping after this step, to save. Once more ends it at once.');
      stop.abort();
    } else if (performance.now() - first > SAME_WISH_MS) {
      release();
      process.kill(process.pid, name);
    }
  };
  const release = () => void SIGNALS.forEach((name) => process.off(name, onSignal));
  SIGNALS.forEach((name) => process.on(name, onSignal));
  try {
    return await work(stop.signal);
  } finally {
    release();
  }
}

/** Resolves `ms` after the signal was given, and then as soon as `ready`. */
export async function afterwards(signal: AbortSignal, ms: number, ready: () => boolean): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  do await new Promise((resolve) => setTimeout(resolve, ms).unref());
  while (!ready());
}
