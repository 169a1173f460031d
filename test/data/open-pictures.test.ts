import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import { openPictures } from '../../src/data/open-pictures.node.js';
import { batch, idx } from './files.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-open-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const put = (name: string, bytes: Uint8Array) => writeFile(join(root, name), bytes);
const images = idx(
  [4, 3, 2],
  Uint8Array.from({ length: 24 }, (_, i) => i),
);

describe('openPictures', () => {
  it('reads the training batches of CIFAR-10 in order, or one file', async () => {
    await put('data_batch_10.bin', batch(1));
    await put('data_batch_2.bin', batch(3));
    await put('test_batch.bin', batch(5));
    const p = await openPictures(root);
    expect(p.count).toBe(4);
    expect([...p.labels!]).toEqual([0, 1, 2, 0]);
    expect(p.names[3]).toContain('data_batch_10.bin#0');
    expect((await openPictures(join(root, 'test_batch.bin'))).count).toBe(5);
    expect(await openPictures(root, { classes: ['bird', 'airplane'], limitPerClass: 1, size: 40 })).toMatchObject({
      count: 2,
      height: 40,
      classes: ['bird', 'airplane'],
    });
    await expect(openPictures(root, { size: 16 })).rejects.toThrow(ConfigError);
  });

  it('falls back to the test batch', async () => {
    await put('test_batch.bin', batch(2));
    expect((await openPictures(root)).count).toBe(2);
  });

  it('reads IDX images with the labels beside them, packed or not', async () => {
    await put('train-images-idx3-ubyte.gz', gzipSync(images));
    const bare = await openPictures(root);
    expect([bare.count, bare.height, bare.width, bare.labels]).toEqual([4, 3, 2, undefined]);
    await put('train-labels-idx1-ubyte', idx([4], Uint8Array.of(1, 9, 0, 1)));
    const p = await openPictures(root);
    expect([...p.labels!]).toEqual([1, 9, 0, 1]);
    expect(p.classes).toHaveLength(10);
    expect([...p.data.subarray(3, 6)]).toEqual([1, 1, 1]);
    expect(await openPictures(join(root, 'train-images-idx3-ubyte.gz'), { classes: ['1'], size: 8 })).toMatchObject({
      count: 2,
      width: 8,
    });
  });

  it('refuses labels that do not belong to the images', async () => {
    await put('train-images-idx3-ubyte', images);
    await put('train-labels-idx1-ubyte', idx([3], Uint8Array.of(1, 9, 0)));
    await expect(openPictures(root)).rejects.toThrow(/one label; got 3 labels for 4 images/);
    await expect(openPictures(join(root, 'train-labels-idx1-ubyte'))).rejects.toThrow(/got an IDX file of labels/);
  });

  it('refuses a damaged gzip, an unknown file and a missing path', async () => {
    await put('train-images-idx3-ubyte.gz', gzipSync(images).subarray(0, 20));
    await expect(openPictures(root)).rejects.toThrow(/gzip data must unpack/);
    await put('pictures.zip', new Uint8Array(4));
    await expect(openPictures(join(root, 'pictures.zip'))).rejects.toThrow(FormatError);
    await expect(openPictures(join(root, 'none'))).rejects.toThrow(/got nothing there/);
  });

  it('takes anything else for a folder of pictures', async () => {
    await put(
      'a.png',
      await sharp({ create: { width: 4, height: 4, channels: 3, background: '#0000ff' } })
        .png()
        .toBuffer(),
    );
    expect(await openPictures(root, { size: 4 })).toMatchObject({ count: 1, height: 4, width: 4, names: ['a.png'] });
    expect(await openPictures(root)).toMatchObject({ height: 32, width: 32 });
  });
});
