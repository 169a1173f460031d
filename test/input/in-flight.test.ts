import { expect, it } from 'vitest';
import { InFlight } from '../../src/input/in-flight.js';

/** A promise and what ends it. */
function open<T>() {
  let [resolve, reject] = [(_: T) => {}, (_: Error) => {}];
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

const soon = () => new Promise((done) => setTimeout(done, 0));

it('waits for the oldest once there are as many as it may hold, and gives all in order', async () => {
  const inFlight = new InFlight<number>(3);
  const reads = [0, 1, 2, 3].map(() => open<number>());
  let added = 0;
  const loop = (async () => {
    for (const { promise } of reads) {
      await inFlight.add(promise);
      added++;
    }
  })();
  await soon();
  expect(added).toBe(2); // the third waits for the first
  reads[1].resolve(1);
  await soon();
  expect(added).toBe(2);
  reads[0].resolve(0);
  await soon();
  expect(added).toBe(4); // the second was there already
  reads[3].resolve(3);
  reads[2].resolve(2);
  await loop;
  expect(await inFlight.all()).toEqual([0, 1, 2, 3]);
  expect(await inFlight.all()).toEqual([]);
});

it('throws what failed in its turn, and settles whatever came of the others', async () => {
  const inFlight = new InFlight<number>(2);
  const [first, second] = [open<number>(), open<number>()];
  await inFlight.add(first.promise);
  first.reject(new Error('first'));
  await soon(); // no unhandled rejection
  await expect(inFlight.add(second.promise)).rejects.toThrow('first');
  let settled = false;
  const end = inFlight.settled().then(() => (settled = true));
  await soon();
  expect(settled).toBe(false);
  second.reject(new Error('second'));
  await end;
});
