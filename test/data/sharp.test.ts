import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../src/core/errors.js';
import { forManyPictures, loadSharp } from '../../src/data/sharp.node.js';

afterEach(() => {
  vi.doUnmock('sharp');
});

describe('sharp', () => {
  it('says how to install it where it is missing', async () => {
    vi.doMock('sharp', () => {
      throw new Error("Cannot find package 'sharp'");
    });
    await expect(loadSharp()).rejects.toThrow(ConfigError);
    await expect(loadSharp()).rejects.toThrow(/npm i sharp/);
  });

  it('gets its settings back, also after an error', async () => {
    const sharp = (await vi.importActual<typeof import('sharp')>('sharp')).default;
    const before = sharp.concurrency();
    await expect(forManyPictures(sharp, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await forManyPictures(sharp, async () => sharp.concurrency())).toBe(1);
    expect(sharp.concurrency()).toBe(before);
  });
});
