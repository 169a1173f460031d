import { afterEach, describe, expect, it, vi } from 'vitest';
import { limit, slowness } from '../scripts/speed.mjs';

afterEach(() => void vi.useRealTimers());

/** Minutes after which a limit of 10 is reached on a machine whose slowness changes by the minute. */
function reached(slownessAt: (minute: number) => number): number {
  vi.useFakeTimers();
  const from = performance.now();
  let at = NaN;
  const minutes = () => (performance.now() - from) / 60_000;
  limit(600_000, () => (at = minutes()), { measure: () => slownessAt(minutes()) });
  vi.advanceTimersByTime(6 * 3600_000);
  return at;
}

describe('limits in the time of a quiet machine', () => {
  it('are reached in that time on a quiet machine', () => expect(reached(() => 1)).toBeCloseTo(10, 1));

  it('are reached later on a slow one, by as much as it is slower', () => {
    expect(reached(() => 6)).toBeCloseTo(60, 0); // the clock is read every 5 s
    expect(reached((minute) => (minute < 20 ? 4 : 1))).toBeCloseTo(25, 0); // 5 of 10 minutes pass in the first 20
  });

  it('can be called off', () => {
    vi.useFakeTimers();
    const late = vi.fn();
    limit(1000, late, { measure: () => 1 })();
    vi.advanceTimersByTime(3600_000);
    expect(late).not.toHaveBeenCalled();
  });

  it('are never shorter than stated, however fast the machine', () => expect(slowness()).toBeGreaterThanOrEqual(1));
});
