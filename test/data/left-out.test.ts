import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import { alignClasses } from '../../src/data/classes.js';
import { bytesOfName, nameOf, pathOf } from '../../src/data/file-names.node.js';
import { openFolder } from '../../src/data/folder.node.js';
import { openPictures } from '../../src/data/open-pictures.node.js';
import { streamFolder } from '../../src/data/stream-folder.node.js';
import { carried, tiny } from './tiny.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-left-out-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const picture = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#0000ff' } })
  .png()
  .toBuffer();

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), picture);
  }
}

/** What opening the folder tells, in memory and streamed, which must agree. */
async function told(options: object = {}): Promise<string[]> {
  const [kept, streamed] = [await openFolder(root, options), await streamFolder(root, options)];
  expect(streamed.warnings).toEqual(kept.warnings);
  expect(streamed.skipped).toEqual(kept.skipped);
  return (kept.warnings ?? []).map((text) => text.replaceAll(root, 'DIR'));
}

describe('a folder of pictures tells', () => {
  it('nothing of one in order, whatever systems keep beside the pictures', async () => {
    await put(
      'cat/1.png',
      'dog/2.png',
      'dog/3.jfif',
      'cat/@eaDir/1.png/thumb.jpg',
      '@eaDir/x.png',
      '__MACOSX/cat/._1.png',
      '.git/a.png',
      'cat/.thumbnails/1.png',
      'cat/._1.png',
      '._cat/1.png',
    );
    await writeFile(join(root, 'cat/Thumbs.db'), 'x');
    expect(await told()).toEqual([]);
    expect((await openFolder(root)).names).toEqual(['cat/1.png', 'dog/2.png', 'dog/3.jfif']);
  });

  it('formats that are not read, and classes that have no others', async () => {
    await put('cat/1.heic', 'cat/2.HEIC', 'dog/1.png', 'dog/2.tiff', 'owl/1.png', 'none/notes.txt');
    expect(await told()).toEqual([
      'DIR: pictures must be JPEG, PNG or WebP to be read; left out 2 .heic, 1 .tiff (cat/1.heic, cat/2.HEIC, ' +
        'dog/2.tiff). Convert them to be used.',
      'DIR: a class must have pictures that can be read; left out cat (2 .heic), none (no pictures). ' +
        'Convert their pictures, or remove the folders.',
    ]);
    expect(await told({ classes: ['dog', 'owl'] })).toEqual([expect.stringContaining('left out 1 .tiff (dog/2.tiff)')]);
    await rm(join(root, 'dog'), { recursive: true });
    await rm(join(root, 'owl'), { recursive: true });
    await expect(openFolder(root)).rejects.toThrow(
      /must hold \.jpg, \.jpeg, \.png or \.webp files; got 2 \.heic\. Convert them\./,
    );
  });

  it('a class whose pictures are all damaged', async () => {
    await put('cat/1.png', 'dog/1.png');
    await writeFile(join(root, 'dog/1.png'), '');
    expect(await told()).toEqual([
      'DIR: a class must have pictures that can be read; got none of dog. Replace them, or remove the folders.',
    ]);
  });

  it('parts of a data set in place of classes', async () => {
    await put('train/cat/1.png', 'train/dog/2.png', 'val/cat/3.png');
    expect(await told()).toEqual([
      'DIR: its folders must be classes; got train, val, which look like parts of a data set. Open DIR/train, ' +
        'and DIR/val by --test.',
    ]);
  });

  it('stray pictures beside the folders, and folders inside classes', async () => {
    await put('cat/1.png', 'dog/persian/1.png');
    expect(await told()).toEqual([
      'DIR: the first folder of a picture is its class; got folders inside classes too, dog/persian. ' +
        'If those are classes, move them up.',
    ]);
    await put('stray.png');
    expect(await told()).toEqual([
      'DIR: for its folders to be classes, every picture must lie in one; got 1 beside cat, dog (stray.png), ' +
        'so there are no classes. Move them into a folder or away.',
    ]);
  });

  it('that CIFAR-10 is its python version, or lies one folder deeper', async () => {
    await writeFile(join(root, 'data_batch_1'), 'x');
    const python = new RegExp(
      /CIFAR-10 must be its binary version \(data_batch_1\.bin …\)/.source +
        /; got data_batch_1 of the python version\. Get cifar-10-binary/.source,
    );
    for (const path of [root, join(root, 'data_batch_1')]) await expect(openPictures(path)).rejects.toThrow(python);
    await rm(join(root, 'data_batch_1'));
    await put('cifar-10-batches-py/x', 'cifar-10-batches-bin/y');
    await expect(openPictures(root)).rejects.toThrow(FormatError);
    await expect(openPictures(root)).rejects.toThrow(/Open .*cifar-10-batches-bin\.$/);
  });
});

describe('names that are not UTF-8', () => {
  const odd = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x2e, 0x70, 0x6e, 0x67]); // "café.png" in Latin-1

  it('come back byte for byte, and what is text stays text', () => {
    for (const bytes of [
      odd,
      Buffer.from('é\u{1f600}\ufffd.png'),
      Buffer.from([0xff, 0xf0, 0x9f, 0x98, 0x80, 0x80]),
      Buffer.alloc(0),
    ])
      expect(bytesOfName(nameOf(bytes))).toEqual(bytes);
    expect(nameOf(odd)).toBe('caf\udce9.png');
    expect(pathOf('a', 'b/\u{1f600}.png').toString()).toBe(join('a', 'b/\u{1f600}.png'));
  });

  it.runIf(process.platform === 'linux')('are read, in folders of such names too', async () => {
    const folder = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xe4])]);
    await mkdir(folder);
    await writeFile(Buffer.concat([folder, Buffer.from('/'), odd]), picture);
    await put('b/1.png');
    for (const set of [await openFolder(root, { views: 4 }), await streamFolder(root, { views: 4 })])
      expect([set.names, set.classes, set.skipped]).toEqual([['b/1.png', '\udce4/caf\udce9.png'], ['b', '\udce4'], []]);
    expect((await (await streamFolder(root, { size: 4 })).load([1])).data.subarray(0, 3)).toEqual(
      Uint8Array.of(0, 0, 255),
    );
  });
});

describe('alignClasses', () => {
  const train = tiny([0, 0, 1, 2], ['cat', 'dog', 'owl']);

  it('numbers labels as in training, and says which classes one of the two lacks', () => {
    expect(alignClasses(train, tiny([1, 0, 2], ['owl', 'cat', 'dog']))).toMatchObject({
      test: { labels: Uint32Array.of(0, 2, 1), classes: train.classes },
      warnings: [],
    });
    const { test, warnings } = alignClasses(train, tiny([0, 1, 0], ['cat', 'emu']));
    expect([carried(test), [...test.labels!], warnings]).toEqual([
      [0, 2],
      [0, 0],
      [
        'test set: each class of the training set must be tested; got no pictures of dog, owl. ' +
          'Accuracies leave them out.',
        'test set: only classes that are trained on can be recognised; got emu too, 1 pictures, which are left out.',
      ],
    ]);
  });

  it('refuses sets without classes, or with none in common', () => {
    expect(() => alignClasses(train, tiny([0]))).toThrow(ConfigError);
    expect(() => alignClasses(train, tiny([0], ['emu']))).toThrow(
      "test set: its classes must be the training set's, cat, dog, owl; got emu. Name the folders alike.",
    );
  });
});
