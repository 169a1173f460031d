import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadingOf, measured, streamedText } from '../../src/cli/open-data.js';
import { Output } from '../../src/cli/output.js';
import { logPictures, sizeText } from '../../src/cli/picture-warnings.js';
import { openRunSource } from '../../src/cli/run-pictures.js';
import { inMemory, type StreamedPictures } from '../../src/data/picture-source.js';
import { encodePng } from '../../src/io/png.js';
import { demoConfig } from '../../src/moco/config.js';
import { reference } from '../support/devices.js';

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dawngrad-run-pictures-'));
  for (let i = 0; i < 3; i++)
    writeFileSync(join(folder, `${i}.png`), await encodePng(new Uint8Array(100 * 100 * 3).fill(i), 100, 100));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const flags = (...names: string[]) => ({ flags: new Map(names.map((name) => [name, true as const])), positional: [] });
const run = () => ({ data: folder, choice: {}, config: { ...demoConfig, size: 56, batch: 32 } });

describe('loading', () => {
  it('has room for a part of free memory, and does as it is told', () => {
    const { stream, room } = loadingOf(flags(), reference);
    expect([stream, room.of]).toEqual([undefined, 'a third of free memory']);
    expect(room.bytes).toBeGreaterThan(2 ** 20);
    expect([loadingOf(flags('stream'), reference).stream, loadingOf(flags('no-stream'), reference).stream]).toEqual([
      true,
      false,
    ]);
  });

  it('makes synthetic pictures, all or those chosen, in memory or as a stream, and no count of others', async () => {
    const made = (choice: object) => ({
      data: 'synthetic',
      choice: { count: 40, ...choice },
      config: { ...demoConfig, size: 16 },
    });
    const loading = { room: { bytes: 1e9, of: '' }, ahead: 2 };
    const open = (choice: object, stream: boolean) =>
      openRunSource(made(choice), { ...loading, stream }, () => undefined, { size: 99 });
    expect(await open({}, false)).toMatchObject({ count: 40, height: 16, labels: expect.any(Uint32Array) });
    const [all, streamed] = [
      await open({ classes: ['rings', 'dots'], limitPerClass: 3 }, false),
      await open({ classes: ['rings', 'dots'], limitPerClass: 3 }, true),
    ];
    expect([all.count, all.classes, inMemory(all), inMemory(streamed), streamed.names]).toEqual([
      6,
      ['rings', 'dots'],
      true,
      false,
      all.names,
    ]);
    await expect(openRunSource({ ...run(), choice: { count: 3 } }, loading, () => undefined)).rejects.toThrow(
      'a count must go with synthetic pictures; got 3 for folder.',
    );
  });

  it('streams what there is no room for, and says why and what that takes', async () => {
    const of = "the device's largest buffer";
    const open = (bytes: number) =>
      openRunSource(run(), { room: { bytes, of }, ahead: 2 }, () => undefined, run().config);
    const [kept, streamed] = [await open(3 * 100 * 100 * 3), await open(3 * 100 * 100 * 3 - 1)];
    expect([sizeText(kept), sizeText(streamed)]).toEqual(['100×100', 'different shapes, 112×112 pixels at most']);
    expect([inMemory(kept), inMemory(streamed)]).toEqual([true, false]);
    expect(streamedText(kept, { room: { bytes: 1, of }, ahead: 2 }, 96)).toBeUndefined();
    expect(
      streamedText(
        { ...streamed, count: 1_281_167 },
        { room: { bytes: 2 ** 31, of }, ahead: 2 },
        3 * 32,
        2 * 32 + 3 * 256,
      ),
    ).toBe(
      "Decoded at once they would take up to 44.9 GiB, more than the device's largest buffer (2 GiB). " +
        'They are decoded as steps need them, 2 ahead: 3.4 MiB at most, 29.9 MiB while features are measured.',
    );
  });

  it('tells of warnings and of files that were left out, the first five or with --verbose all', () => {
    const skipped = Array.from({ length: 7 }, (_, i) => ({ name: `${i}.png`, reason: 'it is cut off' }));
    const said = (...names: string[]) => {
      const texts: string[] = [];
      const out = Object.assign(new Output(flags(...names)), {
        log: (text: string, before = '') => texts.push(before + text),
      });
      logPictures({ count: 3, height: 1, width: 1, names: [], skipped, warnings: ['odd'] }, out);
      return texts;
    };
    expect(said()).toEqual([
      expect.stringMatching(/Warning:.* odd$/),
      expect.stringMatching(
        new RegExp(
          /Warning:.* 7 of 10 pictures cannot be read and are left out:\n {2}0\.png: it is cut off\n/.source +
            /[^]*4\.png: it is cut off\n {2}and 2 more/.source,
        ),
      ),
    ]);
    expect(said('verbose')[1]).toMatch(/6\.png: it is cut off$/);
  });

  it('of a command that measures tells what looks wrong, and each damaged picture once', async () => {
    const said: string[] = [];
    const out = Object.assign(new Output(flags()), { log: (text: string, before = '') => said.push(before + text) });
    const set: StreamedPictures = {
      count: 2,
      height: 1,
      width: 1,
      names: ['a', 'b'],
      skipped: [],
      warnings: ['odd'],
      load: async () => (
        set.skipped.length || set.skipped.push({ name: 'b', reason: 'cut' }), { data: new Uint8Array(6) }
      ),
    };
    const { load } = measured(set, { stream: true, room: { bytes: 0, of: '' }, ahead: 1 }, out);
    await Promise.all([load([0]), load([1])]);
    await load([0]);
    expect(said).toEqual([
      expect.stringMatching(/Warning:.* odd$/),
      'They are decoded as steps need them, 1 ahead: 1.5 KiB at most.',
      expect.stringMatching(/Warning:.* b: it cannot be decoded \('cut'\), so grey/),
    ]);
  });
});
