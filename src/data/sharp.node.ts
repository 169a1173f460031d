import { cpus } from 'node:os';
import type Sharp from 'sharp';
import { ConfigError } from '../core/errors.js';

/** The optional package `sharp`, which decodes pictures in Node; without it a ConfigError. */
export async function loadSharp(): Promise<typeof Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw new ConfigError(
      `folders of pictures: decoding needs the optional package sharp; got '${firstLine(error)}'. Install it with: npm i sharp`,
    );
  }
}

/** Pictures decoded at a time. As many as libuv has threads run, four unless UV_THREADPOOL_SIZE says more; the others wait for one. */
export const DECODERS = 2 * Math.max(2, cpus().length);

let users = 0;
let threads = 0;

/**
 * Runs `work` with sharp set up for many small pictures: one thread each and no cache, which takes
 * a quarter off the time of 32x32 JPEGs. Sharp's settings are global, so they are put back when the last of all `work` is done.
 */
export async function forManyPictures<T>(sharp: typeof Sharp, work: () => Promise<T>): Promise<T> {
  if (users++ === 0) {
    threads = sharp.concurrency();
    sharp.concurrency(1);
    sharp.cache(false);
  }
  try {
    return await work();
  } finally {
    if (--users === 0) {
      sharp.concurrency(threads);
      sharp.cache(true);
    }
  }
}

/**
 * Decodes the picture in `bytes`: turned upright by its EXIF tag, to sRGB, transparency laid on
 * white, scaled to cover `size` x `size` pixels and cropped at the centre. Returns `[size, size, 3]`.
 * Throws sharp's own error if the picture is damaged.
 */
export async function decode(sharp: typeof Sharp, bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const { data, info } = await sharp(bytes)
    .rotate()
    .resize(size, size, { fit: 'cover', position: 'centre' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels instead of 3`);
  return data;
}

/** The first line of what was thrown. */
export const firstLine = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0];
