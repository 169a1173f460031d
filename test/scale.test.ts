import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, expect, it } from 'vitest';

/** In memory where Linux has a place for it: a disk takes far longer to make and remove 200,000 links. */
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'dawngrad-scale-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }), 600_000);

/**
 * Processor time of the whole over that of the calibration, at most: it is about 60, of which half goes to the software
 * adapter.
 */
const MOST = 200;

it('200,000 pictures: lists, splits, draws, baselines, k-NN, a long log, reports and tables within 2 GB', {
  timeout: 900_000,
}, async () => {
  // beside the packages that it needs
  const program = join(import.meta.dirname, `../node_modules/.cache/dawngrad-scale-${process.pid}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'support/scale.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    loader: { '.wgsl': 'text' },
    logLevel: 'silent',
  });
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=1024',
    program,
    folder,
  ]).finally(() => rmSync(program));
  const { seconds, found, total, calibration, peak } = JSON.parse(stdout) as Record<string, any>;
  const told =
    `calibration ${calibration.toFixed(2)} s, all ${total.toFixed(1)} s, peak ${(peak / 1e6).toFixed(0)} MB, ` +
    `${JSON.stringify(seconds)}`;
  console.log(told);
  expect(found.counts).toEqual([200_000, 199_600, 400]);
  expect(found.subset).toBe(65_536);
  expect(found.rawPixels).toBeGreaterThan(0.9);
  expect(found.knn).toBeGreaterThan(0.9);
  expect(found.gallery).toBe(8);
  expect(found.spread).toBeGreaterThan(0.1);
  expect(found.steps).toEqual([expect.any(Number), 299_995, 99]); // the spike is kept
  expect(found.steps[0]).toBeLessThan(5000);
  expect(found.lines).toBe(299_995); // neither the steps after the checkpoint nor the cut line
  expect(found.report).toBeLessThan(200_000);
  expect(found.events).toEqual([true, expect.any(Number)]);
  expect(found.events[1]).toBeLessThan(60); // the cut record is gone, and a mark of the restart is there
  expect(peak, told).toBeLessThan(2e9);
  expect(total / calibration, told).toBeLessThan(MOST);
});
