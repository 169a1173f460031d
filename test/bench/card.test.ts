import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptureBackend } from '../../bench/capture.js';
import { measureCard } from '../../bench/card.js';
import { cardRows } from '../../bench/card-rows.js';
import { h200 } from '../../bench/model.js';
import { ConfigError } from '../../src/core/errors.js';
import { tidy } from '../../src/tensor/tidy.js';
import { on as runOn } from '../support/devices.js';

const root = join(import.meta.dirname, '../..');
const wanted = /product .* NN|copy|dispatch/;
const all = cardRows(true);
const rows = all.filter(({ name }) => wanted.test(name));
let folder: string;
const measure = (more = {}) =>
  measureCard({ root, version: '0', folder, minutes: 5, tiny: true, rows, ...more }).then((t) => t.split('\n'));
const lineOf = (table: string[], name: string) => table.find((line) => line.startsWith(`| ${name} |`))!;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'card-'));
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('the measurement of a card', () => {
  it('has every row of what a card must reach, each once', () => {
    const names = cardRows(false).map((r) => r.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name } of all) expect(names).toContain(name);
    for (const part of [
      'NN, f16',
      'NT, f32',
      'TN, f16',
      'conv dW',
      'ResNet-50',
      'ViT-S',
      'CIFAR',
      'softmax',
      'InfoNCE',
    ])
      expect(
        names.some((n) => n.includes(part)),
        part,
      ).toBe(true);
  });

  it.each(all.map((row) => [row.name, row] as const))('%s: its work can be chosen and sized', (_, row) => {
    const on = new CaptureBackend(h200);
    runOn(on, () => {
      const work = row.work(on);
      for (let i = 0; i < 2; i++) tidy(() => void work());
    });
  });

  it('measures rows of every kind, and goes on after one that fails', async () => {
    const broken = {
      name: 'broken',
      work: () => () => {
        throw new Error('no | such thing');
      },
    };
    const table = await measure({ rows: [broken, ...rows] });
    expect(lineOf(table, 'broken')).toContain('failed: no / such thing');
    for (const { name } of rows) {
      const [, , device, wall] = lineOf(table, name).split('|');
      if (name.includes('f16')) continue; // an adapter without halves says so
      expect(Number(device), name).toBeGreaterThan(0);
      expect(Number(wall), name).toBeGreaterThan(0);
    }
    expect(readdirSync(folder).filter((f) => f.endsWith('.part'))).toEqual([]);
    const saved = readdirSync(folder).find((f) => f.endsWith('.md'))!;
    expect(readFileSync(join(folder, saved), 'utf8')).toBe(table.join('\n'));
  });

  it('skips what was measured, repeats what failed after what is new, and saves after each row', async () => {
    const calls: string[] = [];
    let works = false;
    const copy = rows.find(({ name }) => name.startsWith('copy'))!;
    const row = (name: string, ok: () => boolean) => ({
      ...copy,
      name,
      work: (on: Parameters<typeof copy.work>[0]) => {
        calls.push(name);
        if (!ok()) throw new Error('not yet');
        return copy.work(on);
      },
    });
    const [bad, good] = [row('bad', () => works), row('good', () => true)];
    await measure({ rows: [bad, good] });
    expect(calls).toEqual(['bad', 'good']);
    works = true;
    const table = await measure({ rows: [bad, good, row('new', () => true)] });
    expect(calls.slice(2)).toEqual(['new', 'bad']);
    expect(lineOf(table, 'bad')).not.toContain('failed');
  });

  it('takes no row that would begin too late, and refuses no time at all', async () => {
    const table = await measure({ minutes: 1e-9 });
    expect(lineOf(table, rows[0].name)).toContain('not measured yet');
    await expect(measure({ minutes: 0 })).rejects.toThrow(ConfigError);
    await expect(measure({ minutes: Number.NaN })).rejects.toThrow(/--minutes must be a number above 0; got NaN/);
  });

  it('begins anew where the saved file was cut short', async () => {
    const copy = rows.filter(({ name }) => name.startsWith('copy'));
    await measure({ rows: copy });
    const file = join(folder, readdirSync(folder).find((f) => f.endsWith('.json'))!);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
    expect(Number(lineOf(await measure({ rows: copy }), copy[0].name).split('|')[2])).toBeGreaterThan(0);
  });
});
