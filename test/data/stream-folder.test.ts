import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.js';
import { limiter } from '../../src/data/concurrency.js';
import { openFolder } from '../../src/data/folder.node.js';
import { openSource } from '../../src/data/open-pictures.node.js';
import { inMemory } from '../../src/data/picture-source.js';
import { pictureAt } from '../../src/data/pictures.js';
import { streamFolder } from '../../src/data/stream-folder.node.js';
import { LookAhead } from '../../src/input/look-ahead.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-stream-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(name: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), content);
}

/** A JPEG of noise whose size and content `i` tells. */
const jpeg = (i: number) => {
  const [width, height] = [40 + i, 60 - i];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 31 + i * 77 + (at >> 5) * 13) & 255);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
};

async function fill(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await put(`${'ba'[i % 2]}/${i}.jpg`, await jpeg(i));
}

describe('streamFolder', () => {
  it.each([{ size: 28 }, { views: 28 }, { views: 28, cropMin: 0.5 }, { views: 20, cropMin: 0.5 }])(
    '%j: gives what openFolder gives, whichever pictures are asked for together',
    async (options) => {
      await fill(9);
      await put('a/none.png', new TextEncoder().encode('<html> and more than a few bytes'));
      await put('b/cut.jpg', (await jpeg(1)).subarray(0, 700));
      // a picture all the same
      await put('b/tail.jpg', Buffer.concat([await jpeg(2), Buffer.from('what a camera adds')]));
      await put('a/other.png', await jpeg(3));
      await put(
        'a/whole.webp',
        await sharp(await jpeg(4))
          .webp()
          .toBuffer(),
      );
      await put(
        'b/whole.png',
        await sharp(await jpeg(5))
          .png()
          .toBuffer(),
      );
      await put(
        'b/cut.png',
        (
          await sharp(await jpeg(6))
            .png()
            .toBuffer()
        ).subarray(0, 900),
      );
      await put(
        'b/cut.webp',
        (
          await sharp(await jpeg(7))
            .webp()
            .toBuffer()
        ).subarray(0, 300),
      );
      const [want, got] = [await openFolder(root, options), await streamFolder(root, options)];
      const { data: _, places: __, skipped, ...about } = want;
      expect(got).toMatchObject(about);
      for (const s of [skipped, got.skipped])
        expect(s.map(({ name }) => name)).toEqual(['a/none.png', 'b/cut.jpg', 'b/cut.png', 'b/cut.webp']);
      expect([want.places !== undefined, got.manyShapes === true]).toEqual(new Array(2).fill(!('size' in options)));
      const asked = [[8, 0, 3, 3], [1], [], [...got.names.keys()]];
      const loaded = await Promise.all(asked.map((indices) => got.load(indices)));
      loaded.forEach((part, n) => {
        expect(part.data.length).toBe(asked[n].length * 3 * got.height ** 2);
        expect(asked[n].map((_, i) => pictureAt({ ...got, ...part }, i))).toEqual(
          asked[n].map((i) => pictureAt(want, i)),
        );
      });
      await expect(got.load([13])).rejects.toThrow('an index must lie in [0, 12]; got 13');
    },
  );

  it(
    'a picture damaged between its ends is grey each time, and told of once; ' +
      'more than one in a hundred are an error',
    async () => {
      await fill(4);
      for (const name of ['a/cut.jpg', 'b/cut.jpg'])
        await put(name, Buffer.concat([(await jpeg(1)).subarray(0, 700), Buffer.from([0xff, 0xd9])]));
      const set = await streamFolder(root, { size: 8 });
      const [one, two] = ['a/cut.jpg', 'b/cut.jpg'].map((name) => set.names.indexOf(name));
      for (let i = 0; i < 2; i++)
        expect([...(await set.load([0, one])).data.subarray(192)]).toEqual(new Array(192).fill(128));
      expect(set.skipped.map((s) => s.name)).toEqual(['a/cut.jpg']);
      await expect(set.load([two])).rejects.toThrow(
        /cut\.jpg: at most one picture in a hundred may be damaged; got 2 of 6/,
      );
    },
  );

  it('a file that is gone is an error that names it; a raised signal gives up', async () => {
    await fill(3);
    const set = await streamFolder(root, { size: 8 });
    await rm(join(root, set.names[1]));
    await expect(set.load([0, 1, 2])).rejects.toThrow(FormatError);
    await expect(set.load([0, 1, 2])).rejects.toThrow(/a\/1\.jpg|b\/0\.jpg|b\/2\.jpg.*must stay readable/);
    await expect(set.load([0], AbortSignal.abort())).rejects.toThrow(/aborted/);
    expect((await set.load([0, 2])).data.length).toBe(2 * 192);
  });

  it('leaves the settings of sharp as they were, though loads overlap', async () => {
    await fill(2);
    const threads = sharp.concurrency();
    const set = await streamFolder(root, { size: 8 });
    await Promise.all([set.load([0]), set.load([1, 0]), set.load([0, 1])]);
    expect(sharp.concurrency()).toBe(threads);
  });
});

describe('openSource', () => {
  it('streams a folder that is asked for or larger than the room', async () => {
    await fill(3);
    const inRoom = async (options: object) => inMemory(await openSource(root, { size: 8, ...options }));
    const asked = [{}, { room: 3 * 192 }, { room: 3 * 192 - 1 }, { stream: true }, { stream: false, room: 0 }];
    expect(await Promise.all(asked.map(inRoom))).toEqual([true, true, false, false, true]);
  });
});

describe('LookAhead', () => {
  /** A look-ahead over ten numbers, and which were begun and given up. */
  function lookedAhead(ahead: number): { values: LookAhead<number>; begun: number[]; stopped: number[] } {
    const [begun, stopped] = [[] as number[], [] as number[]];
    const values = new LookAhead(10, ahead, async (i, signal) => {
      begun.push(i);
      signal.addEventListener('abort', () => stopped.push(i));
      if (i === 7) throw new Error('seven');
      return i * i;
    });
    return { values, begun, stopped };
  }

  it.each([0, 1, 3, 20])('begins at most %i before they are taken', async (ahead) => {
    const { values, begun } = lookedAhead(ahead);
    for (let i = 0; i < 10; i++) {
      if (i === 7) await expect(values.take(i)).rejects.toThrow('seven');
      else expect(await values.take(i)).toBe(i * i);
      expect(begun.length).toBe(Math.min(10, i + 1 + ahead));
    }
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('goes on from another place, and gives up what it had begun', async () => {
    const { values, begun, stopped } = lookedAhead(2);
    expect(await values.take(0)).toBe(0);
    expect(await values.take(5)).toBe(25); // seven is begun, fails, and nobody asks for it
    expect(begun).toEqual([0, 1, 2, 5, 6, 7]);
    expect(stopped).toEqual(expect.arrayContaining([1, 2]));
    values.clear();
    expect(stopped).toEqual(expect.arrayContaining([6, 7]));
    expect(await values.take(6)).toBe(36);
  });
});

describe('limiter', () => {
  it('runs no more at a time than there are, in order, and goes on after an error', async () => {
    const limited = limiter(2);
    let [running, most] = [0, 0];
    const order: number[] = [];
    const work = (i: number) =>
      limited(async () => {
        order.push(i);
        most = Math.max(most, ++running);
        await new Promise((done) => setTimeout(done, i % 3));
        running--;
        if (i === 3) throw new Error('three');
        return i;
      });
    const ended = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => work(i)));
    expect(ended.map((e) => (e.status === 'fulfilled' ? e.value : 'error'))).toEqual([0, 1, 2, 'error', 4, 5, 6, 7, 8]);
    expect([most, running, order]).toEqual([2, 0, [0, 1, 2, 3, 4, 5, 6, 7, 8]]);
  });
});
