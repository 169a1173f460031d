import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import type { OpenOptions } from '../../src/data/format.js';
import { formats, placeOf } from '../../src/data/formats.node.js';
import { openPictures, openSource, testFileOf } from '../../src/data/open-pictures.node.js';
import { inMemory, type StreamedPictures } from '../../src/data/picture-source.js';
import { pictureAt } from '../../src/data/pictures.js';
import { batch, idx } from './files.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-formats-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const at = (name: string) => join(root, name);

/** Where one data set of each format lies, by its name. */
async function put(): Promise<Record<string, string>> {
  for (const folder of ['cifar', 'idx', 'photos']) await mkdir(at(folder));
  await writeFile(at('cifar/data_batch_2.bin'), batch(13));
  await writeFile(at('cifar/data_batch_10.bin'), batch(11));
  await writeFile(at('cifar/test_batch.bin'), batch(3));
  await writeFile(
    at('idx/train-images-idx3-ubyte'),
    idx(
      [9, 5, 3],
      Uint8Array.from({ length: 135 }, (_, i) => (i * 37) & 255),
    ),
  );
  await writeFile(
    at('idx/train-labels-idx1-ubyte.gz'),
    gzipSync(
      idx(
        [9],
        Uint8Array.from({ length: 9 }, (_, i) => (i * 3) % 10),
      ),
    ),
  );
  await writeFile(at('idx/t10k-images.idx3-ubyte'), idx([1, 5, 3], new Uint8Array(15)));
  await writeFile(
    at('photos/a.png'),
    await sharp({ create: { width: 9, height: 7, channels: 3, background: '#30f0a0' } })
      .png()
      .toBuffer(),
  );
  return { synthetic: 'synthetic', 'CIFAR-10': at('cifar'), IDX: at('idx'), folder: at('photos') };
}

describe('formats', () => {
  it('recognise their own data and nobody else’s', async () => {
    const paths = await put();
    expect(Object.keys(paths), 'a data set of each format is written by put() above').toEqual(
      formats.map((f) => f.name),
    );
    for (const [name, path] of Object.entries(paths)) {
      const place = await placeOf(path);
      expect(formats.find((f) => f.recognise(place))!.name).toBe(name);
    }
    expect(formats.filter((f) => f.help.length < 9)).toEqual([]);
    expect(await testFileOf(paths['CIFAR-10'])).toBe(at('cifar/test_batch.bin'));
    expect(await testFileOf(paths.IDX)).toBe(at('idx/t10k-images.idx3-ubyte'));
    expect([await testFileOf(paths.folder), await testFileOf('synthetic'), await testFileOf(at('nothing'))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('name themselves where a file is of none', async () => {
    await writeFile(at('pictures.zip'), new Uint8Array(4));
    const ended = openPictures(at('pictures.zip'));
    await expect(ended).rejects.toThrow(FormatError);
    for (const { help } of formats) await expect(ended).rejects.toThrow(help);
  });

  it.each<[name: string, options: OpenOptions]>([
    ['synthetic', { count: 11, size: 16, seed: 5 }],
    ['synthetic', { count: 30, size: 16, classes: ['rings', 'dots'], limitPerClass: 3, seed: 2 }],
    ['CIFAR-10', {}],
    ['CIFAR-10', { classes: ['bird', 'airplane'], limitPerClass: 2, size: 40, seed: 3 }],
    ['IDX', {}],
    ['IDX', { size: 7 }],
    ['IDX', { limitPerClass: 1, classes: ['3', '0'] }],
    ['folder', { size: 5 }],
  ])('%s %j: a stream gives what is opened, whichever pictures are asked for', async (name, options) => {
    const path = (await put())[name];
    const [want, got] = [
      await openPictures(path, options),
      (await openSource(path, { ...options, stream: true })) as StreamedPictures,
    ];
    const { data: _, ...about } = want;
    expect(inMemory(got)).toBe(false);
    expect(got).toMatchObject(about);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(want.count - 1), { maxLength: 9 }), async (indices) => {
        const part = await got.load(indices);
        expect(part.data.length).toBe(3 * indices.length * want.height * want.width);
        expect(indices.map((_, n) => pictureAt({ ...want, ...part }, n).data)).toEqual(
          indices.map((i) => pictureAt(want, i).data),
        );
      }),
      { numRuns: 20 },
    );
    await expect(got.load([want.count])).rejects.toThrow(
      `an index must lie in [0, ${want.count - 1}]; got ${want.count}`,
    );
    if (name !== 'synthetic' && name !== 'folder') await expect(got.load([0], AbortSignal.abort())).rejects.toThrow();
  });

  it('are streamed where their pictures would take more than there is room for', async () => {
    const paths = await put();
    const bytes: Record<string, number> = { synthetic: 1000 * 3072, 'CIFAR-10': 24 * 3072, IDX: 9 * 45, folder: 3072 };
    for (const [name, path] of Object.entries(paths)) {
      expect([name, inMemory(await openSource(path, { room: bytes[name] }))]).toEqual([name, true]);
      expect([name, inMemory(await openSource(path, { room: bytes[name] - 1 }))]).toEqual([name, false]);
    }
  });

  it('in gzip are read whole, and refused as a stream', async () => {
    await writeFile(at('data_batch_1.bin'), gzipSync(batch(2))); // whatever its name says
    expect(inMemory(await openSource(root, { room: 0 }))).toBe(true);
    await expect(openSource(root, { stream: true })).rejects.toThrow(
      `${at('data_batch_1.bin')}: what is streamed must not be compressed; got gzip data. ` +
        `Unpack it with gunzip, or leave streaming out.`,
    );
  });

  it('refuse as a stream what they refuse in memory, in the same words', async () => {
    const files: [string, Uint8Array][] = [
      ['cut.bin', batch(2).subarray(0, 3100)],
      ['empty.bin', new Uint8Array(0)],
      ['label.bin', batch(2).fill(77, 3073, 3074)],
      ['labels-idx1-ubyte', idx([2], Uint8Array.of(1, 2))],
      ['short-idx3-ubyte', Uint8Array.of(0, 0, 8, 3, 0)],
      ['none-idx3-ubyte', Uint8Array.of(1)],
      ['cut-idx3-ubyte', idx([2, 3, 3], new Uint8Array(17))],
      ['huge-idx3-ubyte', idx([0xffffffff, 0xffffffff, 0xffffffff], new Uint8Array(9))],
    ];
    for (const [name, bytes] of files) {
      await writeFile(at(name), bytes);
      const said = await openPictures(at(name)).then(
        () => 'opened',
        (error: Error) => error,
      );
      expect(said).toBeInstanceOf(FormatError);
      await expect(openSource(at(name), { stream: true })).rejects.toThrow((said as Error).message);
    }
  });

  it('say when a file has changed under a stream', async () => {
    await writeFile(at('a.bin'), batch(3));
    const got = (await openSource(at('a.bin'), { stream: true })) as StreamedPictures;
    await truncate(at('a.bin'), 2 * 3073 + 5);
    await expect(got.load([2])).rejects.toThrow(
      `${at('a.bin')}: a file must stay as it is while it is read; got 5 of 3073 bytes at 6146.`,
    );
    await expect(got.load([1])).resolves.toBeDefined();
  });

  it('other than synthetic refuse a count', async () => {
    const { folder } = await put();
    const ended = openPictures(folder, { count: 3 });
    await expect(ended).rejects.toThrow(ConfigError);
    await expect(ended).rejects.toThrow(
      'a count must go with synthetic pictures; got 3 for folder. Use a limit per class.',
    );
    expect((await openPictures('synthetic')).count).toBe(1000);
  });
});
