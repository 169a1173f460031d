import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Backend, useBackend } from '../src/backend/backend.js';

const folder = join(import.meta.dirname, '../examples');

/** What an example prints, run as it stands. */
async function printed(name: string): Promise<string> {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
  await import(`../examples/${name}.ts`);
  return lines.join('\n');
}

describe('examples', () => {
  let before: Backend | undefined;
  beforeEach(() => void (before = useBackend(undefined)));
  afterEach(() => {
    useBackend(before);
    vi.restoreAllMocks();
  });

  it('have under 30 lines each and import dawngrad alone', () => {
    for (const name of readdirSync(folder).filter((f) => f.endsWith('.ts'))) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect([name, text.trimEnd().split('\n').length < 30]).toEqual([name, true]);
      expect([...text.matchAll(/ from '(.*)'/g)].map((m) => m[1])).toEqual(['dawngrad']);
    }
  });

  it('regression: the error falls to about the noise', async () => {
    const errors = [...(await printed('regression')).matchAll(/mean squared error (\S+)/g)].map((m) => Number(m[1]));
    expect(errors).toHaveLength(3);
    expect(errors[2]).toBeLessThan(0.01);
  });

  it('pictures: new ones are named rightly', async () => {
    expect(Number(/(\S+) % of 400/.exec(await printed('pictures'))![1])).toBeGreaterThan(70);
  });

  it('own-model: the table and the shape of the scores', async () => {
    const text = await printed('own-model');
    expect(text).toMatch(/^layer +kind +output +parameters +MFLOP\nconv1 +Conv2d +\[1, 16, 16, 16\] +432 +0\.22\n/);
    expect(text).toMatch(/: 2,970 parameters[^]*\nscores \[2,10\]$/);
  });

  it('own-loss: starts near chance and falls', async () => {
    const [, first, last] = /before: (\S+),[^]*after 50 steps: (\S+)/.exec(await printed('own-loss'))!.map(Number);
    expect(Math.abs(first - Math.log(15))).toBeLessThan(1);
    expect(last).toBeLessThan(first / 2);
  });

  it('own-pictures: k-NN does better than chance', async () => {
    expect(Number(/of (\d+) %/.exec(await printed('own-pictures'))![1])).toBeGreaterThan(75);
  });
});
