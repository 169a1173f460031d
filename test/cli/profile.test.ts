import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const cli = new URL('../../dist/cli.js', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'dawngrad-profile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => promisify(execFile)(process.execPath, [cli, 'profile', ...args], { cwd: folder });

describe('dawngrad profile', () => {
  it('prints a table whose parts add up, and writes a trace of the same dispatches', async () => {
    const { stdout } = await run(
      '--count',
      '48',
      '--size',
      '16',
      '--batch',
      '8',
      '--K',
      '32',
      '--dim',
      '16',
      '--steps',
      '2',
      '--out',
      'trace.json',
    );
    expect(stdout).toMatch(/^A step of moco with resnet-tiny, batch 8, on /);
    const rows = stdout.split('\n').flatMap((line) => {
      const [, kernel, count, ms, share] = /^ {2}(\w+) +(\d+) +([\d.]+) +([\d.]+) %/.exec(line) ?? [];
      return kernel ? [{ kernel, count: Number(count), ms: Number(ms), share: Number(share) }] : [];
    });
    const total = rows.pop()!;
    expect(total.kernel).toBe('total');
    const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((n, row) => n + of(row), 0);
    expect(sum((r) => r.count)).toBe(total.count);
    expect(Math.abs(sum((r) => r.ms) - total.ms)).toBeLessThan(0.001 * rows.length);
    expect(Math.abs(sum((r) => r.share) - 100)).toBeLessThan(0.05 * rows.length + 0.1);
    expect(rows.some((r) => r.kernel.startsWith('conv2d'))).toBe(true);
    expect(stdout).toMatch(/Ceiling: [\d.]+ GB\/s copied, [\d.]+ GFLOP\/s/);
    expect(stdout).toMatch(/Memory of the step: [\d.]+ MiB planned, [\d.]+ MiB alive at once\./);
    const { traceEvents } = JSON.parse(readFileSync(join(folder, 'trace.json'), 'utf8')) as {
      traceEvents: { ph: string; name: string; ts: number; dur: number }[];
    };
    expect(traceEvents).toHaveLength(total.count);
    for (const e of traceEvents)
      expect(e).toMatchObject({ ph: 'X', name: expect.any(String), ts: expect.any(Number), dur: expect.any(Number) });
  });

  it('refuses steps that are none', async () => {
    await expect(run('--steps', '0')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--steps: it must be a whole number above 0; got 0'),
    });
  });
});
