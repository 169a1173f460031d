/**
 * All that what runs now depends on besides its arguments. Fields are declared where they are read;
 * what is absent has its default.
 */
export interface Context {}

const now: Context = {};

/** The context of what runs now. */
export const context: Readonly<Context> = now;

/** Runs `fn` with some of the context changed, and puts that back, however `fn` ends. */
export function within<T>(changes: Context, fn: () => T): T {
  const before = Object.fromEntries(Object.keys(changes).map((key) => [key, now[key as keyof Context]]));
  Object.assign(now, changes);
  try {
    return fn();
  } finally {
    Object.assign(now, before);
  }
}

/** Changes the context of all that follows: for the program as a whole. */
export function change(changes: Context): void {
  Object.assign(now, changes);
}
