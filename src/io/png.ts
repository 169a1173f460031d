import { check, instance, shown } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { joinBytes } from './bytes.js';
import { crc32 } from './crc.js';

export { dataUri } from './data-uri.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PAETH = 4;

/**
 * A PNG file of the picture `rgb` `[height, width, 3]`, 8 bits per channel (W3C PNG, third edition).
 * Runs in browsers and in Node. A size that does not fit the data is a ShapeError.
 */
export async function encodePng(rgb: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  check('encodePng', 'the picture', rgb, instance(Uint8Array));
  const fits = [width, height].every((d) => Number.isInteger(d) && d > 0) && rgb.length === width * height * 3;
  if (!fits)
    throw new ShapeError(
      'encodePng: a picture must have width * height * 3 bytes, at least one pixel; ' +
        `got ${rgb.length} bytes for ${shown(width)}x${shown(height)}. Pass RGB without alpha.`,
    );
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB, deflate, adaptive filters, not interlaced
  const packed = await deflate(filterRows(rgb, width * 3, height));
  return joinBytes([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', packed),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

/** Each row as its filter type and the differences from Paeth's prediction. */
function filterRows(rgb: Uint8Array, stride: number, height: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const [from, to] = [y * stride, y * (stride + 1)];
    out[to] = PAETH;
    for (let x = 0; x < stride; x++) {
      const left = x >= 3 ? rgb[from + x - 3] : 0;
      const up = y > 0 ? rgb[from - stride + x] : 0;
      const corner = x >= 3 && y > 0 ? rgb[from - stride + x - 3] : 0;
      out[to + 1 + x] = rgb[from + x] - paeth(left, up, corner);
    }
  }
  return out;
}

/** Whichever neighbour is nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Length, type, body and checksum. */
function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}
