import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendLine, readLines, writeAtomic } from '../../src/io/atomic.node.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-atomic-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('writeAtomic', () => {
  it('writes text and bytes, makes folders, leaves nothing else behind', async () => {
    const file = join(root, 'a', 'b', 'x.bin');
    await writeAtomic(file, 'old');
    await writeAtomic(file, Uint8Array.of(1, 2, 3));
    expect([...(await readFile(file))]).toEqual([1, 2, 3]);
    await writeAtomic(file, new Set(['a', '', 'bé\n']));
    expect(await readFile(file, 'utf8')).toBe('abé\n');
    await writeAtomic(file, ['a', Uint8Array.of(98, 99), 'd', 'e'.repeat(2 ** 20), 'f', Uint8Array.of(103)]);
    expect(await readFile(file, 'utf8')).toBe(`abcd${'e'.repeat(2 ** 20)}fg`);
    expect(await readdir(join(root, 'a', 'b'))).toEqual(['x.bin']);
  });

  it('shows readers the old content or the new, never a part', async () => {
    const file = join(root, 'x');
    const content = (digit: number) => String(digit).repeat(200_000);
    await writeAtomic(file, content(0));
    let writing = true;
    const writer = (async () => {
      for (let i = 1; i < 10; i++) await writeAtomic(file, content(i));
      writing = false;
    })();
    while (writing) {
      const seen = await readFile(file, 'utf8');
      expect(seen).toBe(content(Number(seen[0])));
    }
    await writer;
  });

  it('lets writers meet', async () => {
    const file = join(root, 'x');
    await Promise.all(Array.from({ length: 8 }, (_, i) => writeAtomic(file, String(i))));
    expect(await readFile(file, 'utf8')).toMatch(/^[0-7]$/);
    expect(await readdir(root)).toEqual(['x']);
  });

  it('cleans up when it fails, and keeps what was there', async () => {
    await mkdir(join(root, 'x', 'full'), { recursive: true });
    await expect(writeAtomic(join(root, 'x'), 'new')).rejects.toThrow();
    expect(await readdir(root)).toEqual(['x']);
  });
});

describe('readLines', () => {
  it('reads lines whatever block they lie across, and leaves out what was cut off', async () => {
    const file = join(root, 'metrics.jsonl');
    const values = Array.from({ length: 70_000 }, (_, i) => ({
      step: i,
      name: i % 1000 === 0 ? 'é'.repeat(3000) : 'é',
    }));
    await writeFile(file, `${values.map((v) => JSON.stringify(v)).join('\n')}\n{"st\n\n{"step":7}\n{"step":1`);
    expect(JSON.stringify([...readLines(file)]) === JSON.stringify([...values, { step: 7 }])).toBe(true);
    expect([...readLines(join(root, 'none'))]).toEqual([]);
    await writeFile(file, '{"step":1}\n7\n');
    expect(() => [...readLines(file)]).toThrow(`${file}: each line must be an object, each name once; got '7'.`);
  });
});

describe('appendLine', () => {
  it('adds lines of JSON', async () => {
    const file = join(root, 'runs', 'metrics.jsonl');
    await appendLine(file, { step: 1, loss: 0.5 });
    await appendLine(file, { step: 2, loss: NaN });
    expect(await readFile(file, 'utf8')).toBe('{"step":1,"loss":0.5}\n{"step":2,"loss":null}\n');
  });

  it('begins a line of its own after one that was cut off', async () => {
    const file = join(root, 'metrics.jsonl');
    await writeFile(file, '{"step":1}\n{"st');
    await appendLine(file, { step: 2 });
    expect(await readFile(file, 'utf8')).toBe('{"step":1}\n{"st\n{"step":2}\n');
  });
});
