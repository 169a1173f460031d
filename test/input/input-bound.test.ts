import { afterEach, expect, it, vi } from 'vitest';
import { InputBound } from '../../src/input/input-bound.js';

afterEach(() => void vi.restoreAllMocks());

it('counts waiting only while the device has nothing to do, and tells once of more than a tenth', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const watch = new InputBound();
  watch.handed(watch.waited(0)); // the first step is not counted
  now = 50;
  expect(watch.waited(10)).toBe(0); // the first is under way
  watch.handed(0, 50);
  watch.finished();
  now = 60;
  watch.finished();
  now = 90;
  expect(watch.waited(55)).toBe(30); // since 60, when the second was finished
  watch.handed(5, 50);
  expect(watch.endEpoch()).toBeUndefined(); // 5 of 100
  watch.handed(20, 100);
  expect(watch.endEpoch()).toBe(0.2);
  watch.handed(90, 100);
  expect(watch.endEpoch()).toBeUndefined();
});
