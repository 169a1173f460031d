/**
 * Limits of tests are told in the time of a quiet machine, so that a machine that is slow, or busy with other work,
 * is not taken for a broken one: they are multiplied by how slow the machine is measured to be.
 */
import { availableParallelism } from 'node:os';

/** Milliseconds that `work` takes on a quiet core of the machine on which limits were set, and that machine's cores. */
const [QUIET, CORES] = [38, 2];

function work() {
  let x = 0.5;
  for (let i = 0; i < 2e7; i++) x = 3.9 * x * (1 - x);
  return x;
}

/** How many times longer than on a quiet machine things take now: 1 or more. It takes 40 ms to measure there. */
export function slowness() {
  const from = performance.now();
  if (!(work() > 0)) throw new Error('slowness: the logistic map must stay above 0.');
  return Math.max(1, ((performance.now() - from) / QUIET) * Math.max(1, CORES / availableParallelism()));
}

/** A limit of a quiet machine, in milliseconds, on this one as it is now. */
export const patience = (ms) => Math.ceil(ms * slowness());

/**
 * Calls `late` once `ms` of a quiet machine's time have passed, as measured on the way; returns how to call that off.
 */
export function limit(ms, late, { every = 5000, measure = slowness } = {}) {
  let [left, last] = [ms, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    left -= (now - last) / measure();
    last = now;
    if (left > 0) return;
    clearInterval(timer);
    late();
  }, every);
  return () => clearInterval(timer);
}
