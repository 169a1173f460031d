import { cpus } from 'node:os';
import type Sharp from 'sharp';
import { ConfigError } from '../core/errors.js';
import { type Framing, middle, type Shape } from './framing.js';

/** The optional package `sharp`, which decodes pictures in Node; without it a ConfigError. */
export async function loadSharp(): Promise<typeof Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw new ConfigError(
      `folders of pictures: decoding needs the optional package sharp; got '${firstLine(error)}'. ` +
        `Install it with: npm i sharp`,
    );
  }
}

/**
 * Pictures decoded at a time. As many as libuv has threads run, four unless UV_THREADPOOL_SIZE says more; the others
 * wait for one.
 */
export const DECODERS = 2 * Math.max(2, cpus().length);

let users = 0;
let threads = 0;

/**
 * Runs `work` with sharp set up for many small pictures: one thread each and no cache, which takes
 * a quarter off the time of 32x32 JPEGs. Sharp's settings are global, so they are put back when the last of all `work`
 * is done.
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

/** A decoded picture, u8 [height, width, 3]. */
export interface Decoded extends Shape {
  data: Uint8Array;
}

/** Height and width of a picture once it is turned upright by its EXIF tag. */
export async function shapeOf(picture: ReturnType<typeof Sharp>): Promise<Shape> {
  const { height, width, orientation = 1 } = await picture.metadata();
  return orientation > 4 ? { height: width, width: height } : { height, width };
}

/**
 * Decodes the picture in `bytes`: turned upright by its EXIF tag, to sRGB, transparency laid on white, scaled and cut
 * as `framing` says. Throws if it is damaged; `whyUnreadable` tells why.
 */
export async function decode(sharp: typeof Sharp, bytes: Uint8Array, framing: Framing): Promise<Decoded> {
  const picture = sharp(bytes);
  const shape = await shapeOf(picture);
  const { to, keep } = framing.of(shape);
  let framed = picture.rotate().resize(to.width, to.height, { fit: 'fill', kernel: framing.kernel });
  if (keep.height !== to.height || keep.width !== to.width)
    framed = framed.extract({ ...keep, top: middle(to.height - keep.height), left: middle(to.width - keep.width) });
  const { data, info } = await framed
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { channels, height, width } = info;
  if (channels !== 3 || height !== keep.height || width !== keep.width)
    throw new Error(`[${height}, ${width}, ${channels}]`);
  return { data, height, width };
}

/** The first line of what was thrown. */
export const firstLine = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0];
