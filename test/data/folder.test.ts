import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import { decodeFolder, openFolder } from '../../src/data/folder.node.js';
import { squares } from '../../src/data/framing.js';
import type { Pictures } from '../../src/data/picture-source.js';
import { pictureAt } from '../../src/data/pictures.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const plain = (width: number, height: number, colour: string) =>
  sharp({ create: { width, height, channels: 3, background: colour } });

async function put(name: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), content);
}

const red = () => plain(8, 8, '#ff0000').png().toBuffer();
const pixel = (p: Pictures, i: number, y: number, x: number) => [
  ...p.data.subarray(((i * p.height + y) * p.width + x) * 3).subarray(0, 3),
];

describe('openFolder', () => {
  it('labels by sub-folder, sorts by name, ignores case, hidden files and other files', async () => {
    for (const name of ['b/2.PNG', 'b/10.png', 'a/x/deep.png', 'a/.hidden.png', '.cache/no.png'])
      await put(name, await red());
    await put('a/notes.txt', new Uint8Array(3));
    const p = await openFolder(root, { size: 8 });
    expect(p.names).toEqual(['a/x/deep.png', 'b/10.png', 'b/2.PNG']);
    expect(p.classes).toEqual(['a', 'b']);
    expect([...p.labels!]).toEqual([0, 1, 1]);
    expect([p.height, p.width, p.skipped.length]).toEqual([8, 8, 0]);
    expect(pixel(p, 2, 7, 7)).toEqual([255, 0, 0]);
  });

  it('warns of a folder one level too high, and of no other', async () => {
    for (const name of ['pets/cat/1.png', 'pets/dog/2.png']) await put(name, await red());
    const high = await openFolder(root);
    expect(high.classes).toEqual(['pets']);
    expect(high.warnings).toEqual([
      expect.stringMatching(
        /all its pictures lie in pets, so they have one class; got folders inside it, cat, dog\. .* open .*pets\.$/,
      ),
    ]);
    expect((await openFolder(join(root, 'pets'))).warnings).toBeUndefined();
    expect((await openFolder(join(root, 'pets/cat'))).warnings).toBeUndefined();
  });

  it('leaves a flat folder unlabelled', async () => {
    await put('1.png', await red());
    await put('sub/2.png', await red());
    const p = await openFolder(root);
    expect([p.count, p.labels, p.classes]).toEqual([2, undefined, undefined]);
  });

  it('scales to cover and crops the centre of pictures of different sizes', async () => {
    const stripes = await sharp(Buffer.from([255, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255]), {
      raw: { width: 4, height: 1, channels: 3 },
    })
      .resize(400, 100, { kernel: 'nearest' })
      .png()
      .toBuffer();
    await put('wide.png', stripes);
    await put('small.png', await red());
    const p = await openFolder(root);
    expect([p.height, p.width]).toEqual([32, 32]);
    const wide = p.names.indexOf('wide.png');
    for (const x of [1, 16, 30]) expect(pixel(p, wide, 16, x)).toEqual([0, 255, 0]);
    expect((await openFolder(root, { size: 5 })).data.length).toBe(2 * 5 * 5 * 3);
  });

  const shapes = (p: Pictures) => p.names.map((_, i) => [pictureAt(p, i).height, pictureAt(p, i).width]);

  it(
    'decodes for random views whole and in shape, so large that the smallest crop has as many pixels as a view, ' +
      'and never larger than it is',
    async () => {
      await put('1-photo.jpg', await plain(900, 600, '#00ff00').jpeg().toBuffer());
      await put('2-small.png', await plain(30, 20, '#00ff00').png().toBuffer());
      await put('3-strip.png', await plain(2000, 2, '#00ff00').png().toBuffer());
      const p = await openFolder(root, { views: 100, cropMin: 0.2 });
      expect([p.height, shapes(p)]).toEqual([
        224,
        [
          [182, 274],
          [20, 30],
          [2, 2000],
        ],
      ]);
      const [height, width] = shapes(p)[0];
      expect([(0.2 * height * width) / 100 ** 2, height * width <= 224 ** 2]).toEqual([expect.closeTo(1, 1), true]);
      expect(shapes(await openFolder(root, { views: 4, cropMin: 1 }))).toEqual([
        [6, 9],
        [6, 9],
        [1, 64],
      ]);
      await expect(openFolder(root, { views: 0 })).rejects.toThrow(ConfigError);
      await expect(openFolder(root, { views: 4, cropMin: 0 })).rejects.toThrow('cropMin must be in (0, 1]; got 0');
    },
  );

  it(
    'decodes for evaluation by Resize(size * 256 / 224) and CenterCrop(size), small pictures as they are, ' +
      'whatever lies beside them',
    async () => {
      const line = Uint8Array.from({ length: 900 * 3 }, (_, i) => (Math.floor(i / 3) < 450 ? 0 : 255));
      const photo = await sharp(line, { raw: { width: 900, height: 1, channels: 3 } })
        .resize(900, 600, { kernel: 'nearest', fit: 'fill' })
        .png()
        .toBuffer();
      await put('photo.png', photo);
      const alone = await openFolder(root, { views: 224 });
      expect(shapes(alone)).toEqual([[224, 224]]);
      expect([pixel(alone, 0, 100, 110), pixel(alone, 0, 100, 113)]).toEqual([
        [0, 0, 0],
        [255, 255, 255],
      ]); // 384 wide: the middle begins at 80
      for (let i = 0; i < 6; i++) await put(`icon${i}.png`, await red());
      await put('middling.png', await plain(240, 230, '#00ff00').png().toBuffer());
      const among = await openFolder(root, { views: 224 });
      expect(shapes(among)).toEqual([...new Array(6).fill([8, 8]), [224, 224], [224, 224]]);
      expect(pictureAt(among, 7).data).toEqual(alone.data);
    },
  );

  it('brings every kind of picture to upright 8-bit sRGB', async () => {
    const half = await sharp(Buffer.from([255, 0, 0, 0, 0, 255]), { raw: { width: 2, height: 1, channels: 3 } })
      .resize(64, 64, { kernel: 'nearest', fit: 'fill' })
      .png()
      .toBuffer();
    await put('1-turned.jpg', await sharp(half).jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toBuffer());
    await put(
      '2-clear.png',
      await sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
        .png()
        .toBuffer(),
    );
    await put('3-grey.webp', await plain(64, 64, '#808080').greyscale().webp({ lossless: true }).toBuffer());
    await put('4-cmyk.jpeg', await plain(64, 64, '#ffffff').toColourspace('cmyk').jpeg().toBuffer());
    await put('5-deep.png', await plain(64, 64, '#ff0000').toColourspace('rgb16').png().toBuffer());
    const p = await openFolder(root, { size: 64 });
    expect([p.count, p.height, p.skipped]).toEqual([5, 64, []]);
    const [top, bottom] = [pixel(p, 0, 4, 32), pixel(p, 0, 60, 32)];
    expect([top[0] > 200, top[2] < 60, bottom[0] < 60, bottom[2] > 200]).toEqual([true, true, true, true]);
    expect(pixel(p, 1, 0, 0)).toEqual([255, 255, 255]);
    expect(pixel(p, 2, 0, 0)).toEqual([128, 128, 128]);
    expect(Math.min(...pixel(p, 3, 0, 0))).toBeGreaterThan(240);
    expect(pixel(p, 4, 0, 0)).toEqual([255, 0, 0]);
  });

  it('skips and names what cannot be decoded, each with its own reason', async () => {
    const noise = Buffer.from(Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) >> 3));
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    const half = jpeg.subarray(0, jpeg.length / 2);
    await put('a/1-cut.jpg', half);
    await put('a/2-good.png', await red());
    await put('b/3-text.jpg', Buffer.from('not a picture'));
    await put('b/4-good.png', await red());
    await put('b/5-empty.png', new Uint8Array(0));
    await put('b/6-damaged.jpg', Buffer.concat([half, Buffer.from([0xff, 0xd9])]));
    await put('b/7-header.png', Buffer.concat([(await red()).subarray(0, 20), (await red()).subarray(-12)]));
    const seen: string[] = [];
    const p = await openFolder(root, { views: 8, onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(p.names).toEqual(['a/2-good.png', 'b/4-good.png']);
    expect([...p.labels!]).toEqual([0, 1]);
    expect(p.skipped).toEqual([
      { name: 'a/1-cut.jpg', reason: 'it is cut off' },
      { name: 'b/3-text.jpg', reason: 'it is not a JPEG, PNG or WebP picture' },
      { name: 'b/5-empty.png', reason: 'the file is empty' },
      { name: 'b/6-damaged.jpg', reason: 'its data are damaged' },
      { name: 'b/7-header.png', reason: 'its header is damaged' },
    ]);
    expect(pixel({ ...p, height: 8, width: 8 }, 1, 0, 0)).toEqual([255, 0, 0]);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `${n}/7`));
  });

  it('decodes only the classes and the number asked for', async () => {
    for (const c of ['a', 'b', 'c']) for (let i = 0; i < 5; i++) await put(`${c}/${i}.png`, await red());
    const p = await openFolder(root, { classes: ['c', 'a'], limitPerClass: 2, seed: 3 });
    expect(p.classes).toEqual(['c', 'a']);
    expect([...p.labels!]).toEqual([0, 0, 1, 1]);
    expect((await openFolder(root, { classes: ['c', 'a'], limitPerClass: 2, seed: 3 })).names).toEqual(p.names);
    await expect(openFolder(root, { classes: ['bb'] })).rejects.toThrow(/got 'bb'. Did you mean '\w'\? Known: a, b, c/);
    await expect(openFolder(root, { limitPerClass: 0 })).rejects.toThrow(ConfigError);
    await expect(openFolder(root, { size: 0 })).rejects.toThrow(ConfigError);
  });

  it('follows links but not in circles', async () => {
    await put('a/1.png', await red());
    await symlink(root, join(root, 'a', 'again'));
    await symlink(join(root, 'gone'), join(root, 'a', 'dangling.png'));
    expect((await openFolder(root)).names).toEqual(['a/1.png']);
  });

  it('says what is wrong with a folder', async () => {
    await expect(openFolder(join(root, 'none'))).rejects.toThrow(FormatError);
    await expect(openFolder(root)).rejects.toThrow(/\.webp files; got none/);
    await put('bad.png', new Uint8Array(9));
    await expect(openFolder(join(root, 'bad.png'))).rejects.toThrow(/got a file/);
    await expect(openFolder(root)).rejects.toThrow(
      /at least one picture must be readable; got 1 that are not, the first bad\.png/,
    );
  });

  it('says so where decoded pictures cannot fit into memory', async () => {
    const plan = { folder: 'photos', names: Array<string>(1000), framing: squares(2 ** 17), warnings: [], sharp };
    await expect(decodeFolder(plan, {})).rejects.toThrow(
      'photos: the decoded pictures must fit into memory; got 1000 pictures, 48000.0 GiB. ' +
        'Stream them where that is possible, or choose',
    );
  });
});
