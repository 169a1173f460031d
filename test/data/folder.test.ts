import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, FormatError } from '../../src/core/errors.js';
import { decodeFolder, openFolder } from '../../src/data/folder.node.js';
import type { Pictures } from '../../src/data/pictures.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dawngrad-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const plain = (width: number, height: number, colour: string) => sharp({ create: { width, height, channels: 3, background: colour } });

async function put(name: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, name)), { recursive: true });
  await writeFile(join(root, name), content);
}

const red = () => plain(8, 8, '#ff0000').png().toBuffer();
const pixel = (p: Pictures, i: number, y: number, x: number) => [...p.data.subarray(((i * p.height + y) * p.width + x) * 3).subarray(0, 3)];

describe('openFolder', () => {
  it('labels by sub-folder, sorts by name, ignores case, hidden files and other files', async () => {
    for (const name of ['b/2.PNG', 'b/10.png', 'a/x/deep.png', 'a/.hidden.png', '.cache/no.png']) await put(name, await red());
    await put('a/notes.txt', new Uint8Array(3));
    const p = await openFolder(root);
    expect(p.names).toEqual(['a/x/deep.png', 'b/10.png', 'b/2.PNG']);
    expect(p.classes).toEqual(['a', 'b']);
    expect([...p.labels!]).toEqual([0, 1, 1]);
    expect([p.height, p.width, p.skipped.length]).toEqual([8, 8, 0]);
    expect(pixel(p, 2, 7, 7)).toEqual([255, 0, 0]);
  });

  it('warns of a folder one level too high, and of no other', async () => {
    for (const name of ['train/cat/1.png', 'train/dog/2.png']) await put(name, await red());
    const high = await openFolder(root);
    expect(high.classes).toEqual(['train']);
    expect(high.warnings).toEqual([expect.stringMatching(/all its pictures lie in train, so they have one class; got folders inside it, cat, dog\. .* open .*train\.$/)]);
    expect((await openFolder(join(root, 'train'))).warnings).toBeUndefined();
    expect((await openFolder(join(root, 'train/cat'))).warnings).toBeUndefined();
  });

  it('leaves a flat folder unlabelled', async () => {
    await put('1.png', await red());
    await put('sub/2.png', await red());
    const p = await openFolder(root);
    expect([p.count, p.labels, p.classes]).toEqual([2, undefined, undefined]);
  });

  it('scales to cover and crops the centre of pictures of different sizes', async () => {
    const stripes = await sharp(Buffer.from([255, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255]), { raw: { width: 4, height: 1, channels: 3 } })
      .resize(400, 100, { kernel: 'nearest' }).png().toBuffer();
    await put('wide.png', stripes);
    await put('small.png', await red());
    const p = await openFolder(root);
    expect([p.height, p.width]).toEqual([32, 32]);
    const wide = p.names.indexOf('wide.png');
    for (const x of [1, 16, 30]) expect(pixel(p, wide, 16, x)).toEqual([0, 255, 0]);
    expect((await openFolder(root, { size: 5 })).data.length).toBe(2 * 5 * 5 * 3);
  });

  it('decodes for views at 8/7 of their size, and never larger than the pictures are', async () => {
    const line = Buffer.from(Uint8Array.from({ length: 900 * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255)); // black and white columns
    const photo = sharp(line, { raw: { width: 900, height: 1, channels: 3 } }).resize(900, 600, { kernel: 'nearest', fit: 'fill' });
    await put('photo.jpg', await photo.jpeg({ quality: 100 }).toBuffer());
    const sizeFor = async (views: number) => (await openFolder(root, { views })).height;
    expect([await sizeFor(224), await sizeFor(32), await sizeFor(2000)]).toEqual([256, 64, 600]);
    expect((await openFolder(root, { views: 224 })).data.every((v) => v > 90 && v < 165)).toBe(true); // an even grey
    await put('photo.jpg', await red());
    await put('wide.png', await plain(30, 20, '#00ff00').png().toBuffer());
    expect([await sizeFor(224), await sizeFor(4)]).toEqual([20, 20]);
    expect((await openFolder(root, { views: 224, size: 48 })).height).toBe(48);
    await expect(openFolder(root, { views: 0 })).rejects.toThrow(ConfigError);
  });

  it('brings every kind of picture to upright 8-bit sRGB', async () => {
    const half = await sharp(Buffer.from([255, 0, 0, 0, 0, 255]), { raw: { width: 2, height: 1, channels: 3 } })
      .resize(64, 64, { kernel: 'nearest', fit: 'fill' }).png().toBuffer();
    await put('1-turned.jpg', await sharp(half).jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toBuffer());
    await put('2-clear.png', await sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }).png().toBuffer());
    await put('3-grey.webp', await plain(64, 64, '#808080').greyscale().webp({ lossless: true }).toBuffer());
    await put('4-cmyk.jpeg', await plain(64, 64, '#ffffff').toColourspace('cmyk').jpeg().toBuffer());
    await put('5-deep.png', await plain(64, 64, '#ff0000').toColourspace('rgb16').png().toBuffer());
    const p = await openFolder(root);
    expect([p.count, p.height, p.skipped]).toEqual([5, 64, []]);
    const [top, bottom] = [pixel(p, 0, 4, 32), pixel(p, 0, 60, 32)];
    expect([top[0] > 200, top[2] < 60, bottom[0] < 60, bottom[2] > 200]).toEqual([true, true, true, true]);
    expect(pixel(p, 1, 0, 0)).toEqual([255, 255, 255]);
    expect(pixel(p, 2, 0, 0)).toEqual([128, 128, 128]);
    expect(Math.min(...pixel(p, 3, 0, 0))).toBeGreaterThan(240);
    expect(pixel(p, 4, 0, 0)).toEqual([255, 0, 0]);
  });

  it('skips and names what cannot be decoded', async () => {
    const noise = Buffer.from(Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) >> 3));
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).jpeg().toBuffer();
    await put('a/1-cut.jpg', jpeg.subarray(0, jpeg.length / 2));
    await put('a/2-good.png', await red());
    await put('b/3-text.jpg', Buffer.from('not a picture'));
    await put('b/4-good.png', await red());
    await put('b/5-empty.png', new Uint8Array(0));
    const seen: string[] = [];
    const p = await openFolder(root, { size: 8, onProgress: (done, total) => seen.push(`${done}/${total}`) });
    expect(p.names).toEqual(['a/2-good.png', 'b/4-good.png']);
    expect([...p.labels!]).toEqual([0, 1]);
    expect(p.skipped.map((s) => s.name)).toEqual(['a/1-cut.jpg', 'b/3-text.jpg', 'b/5-empty.png']);
    expect(p.skipped.every((s) => s.reason.length > 5)).toBe(true);
    expect(pixel(p, 1, 0, 0)).toEqual([255, 0, 0]);
    expect(seen).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5']);
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
    await expect(openFolder(root)).rejects.toThrow(/at least one picture must be readable; got 1 that are not, the first bad\.png/);
  });

  it('says so where decoded pictures cannot fit into memory', async () => {
    const plan = { folder: 'photos', names: Array<string>(1000), size: 2 ** 17, sharp };
    await expect(decodeFolder(plan, {})).rejects.toThrow('photos: the decoded pictures must fit into memory; got 1000 pictures, 48000.0 GiB. Stream them where that is possible, or choose');
  });
});
