import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32, crc32c } from '../../src/io/crc.js';
import { EventFile } from '../../src/io/tensorboard.node.js';
import { readEvents } from './tfevents.js';

const folder = mkdtempSync(join(tmpdir(), 'dawngrad-events-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ascii = (text: string) => new TextEncoder().encode(text);

describe('crc', () => {
  it('of known vectors: the catalogue’s check values, and RFC 3720’s', () => {
    expect([crc32(ascii('123456789')), crc32c(ascii('123456789'))]).toEqual([0xcbf43926, 0xe3069283]);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });
});

describe('EventFile', () => {
  it('scalars, pictures and histograms are read back', async () => {
    const file = new EventFile(folder, 0);
    const png = Uint8Array.from({ length: 300 }, (_, i) => i);
    file.log(1, { 'train/loss': { scalar: 0.1 }, 'train/lr': { scalar: -3 } });
    file.log(300, {
      views: { png, width: 40, height: 200 },
      spread: { histogram: [-1, 0, 0.5, 2, NaN] },
      one: { histogram: [7, 7] },
      none: { histogram: [] },
    });
    await file.written();
    const [version, scalars, rest] = readEvents(readFileSync(file.path));
    expect(version).toMatchObject({ version: 'brain.Event:2', step: 0 });
    expect(Math.abs(version.time - Date.now() / 1000)).toBeLessThan(60);
    expect(scalars).toMatchObject({
      step: 1,
      values: { 'train/loss': { scalar: Math.fround(0.1) }, 'train/lr': { scalar: -3 } },
    });
    expect(rest).toMatchObject({
      step: 300,
      values: { views: { image: { height: 200, width: 40, colorspace: 3, png: [...png] } } },
    });
    const { spread, one, none } = rest.values;
    expect(spread.histogram).toMatchObject({ min: -1, max: 2, num: 4, sum: 1.5, squares: 5.25 });
    const { limits, counts } = spread.histogram!;
    expect([limits.length, counts.reduce((a, b) => a + b), limits.at(-1)]).toEqual([30, 4, 2]);
    expect(limits.filter((_, i) => counts[i] > 0).map((v) => Number(v.toFixed(9)))).toEqual([-0.9, 0.1, 0.6, 2]);
    expect([one.histogram!.counts, one.histogram!.limits, none.histogram!.counts]).toEqual([[2], [7], [0]]);
  });

  it('goes on in the same file: a cut record is dropped, and a start says which steps are void', async () => {
    const file = new EventFile(folder, 0); // a second opening, at step 0
    await file.written();
    const { path } = file;
    const whole = readFileSync(path);
    appendFileSync(path, whole.subarray(0, 50)); // a record and a part of the next
    truncateSync(path, whole.length + 45);
    const again = new EventFile(folder, 4);
    again.log(5, { loss: { scalar: 2 } });
    await again.written();
    expect(again.path).toBe(path);
    const events = readEvents(readFileSync(path));
    expect(events.slice(-2)).toMatchObject([
      { step: 5, started: true },
      { step: 5, values: { loss: { scalar: 2 } } },
    ]);
    expect(events.filter((e) => e.started).map((e) => e.step)).toEqual([1, 5]);
  });
});
