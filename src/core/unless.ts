/** What a promise gives, or undefined as soon as the signal is given; what it does then goes on unheeded. */
export async function unless<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T | undefined> {
  if (!signal) return promise;
  promise.catch(() => undefined);
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  return Promise.race([promise, aborted]);
}
