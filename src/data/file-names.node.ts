import { join, sep } from 'node:path';

/**
 * The name in `bytes` as a string. Bytes that are not UTF-8 become lone surrogates U+DC80 … U+DCFF, as Python's file
 * names have them, so that `pathOf` finds the file again.
 */
export function nameOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return text;
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((n) => isText(bytes.subarray(at, at + n)));
    name += length
      ? Buffer.from(bytes.subarray(at, at + length)).toString('utf8')
      : String.fromCharCode(0xdc00 + bytes[at]);
    at += length ?? 1;
  }
  return name;
}

const isText = (bytes: Uint8Array): boolean => Buffer.from(Buffer.from(bytes).toString('utf8')).equals(bytes);

const ESCAPED = /[\udc80-\udcff]/;

/** A name's bytes as they are on disk. */
export const bytesOfName = (name: string): Buffer =>
  Buffer.concat(
    [...name].map((c) => (c.length === 1 && ESCAPED.test(c) ? Buffer.of(c.charCodeAt(0) - 0xdc00) : Buffer.from(c))),
  );

/** The path of a file in a folder, for Node's functions of files. */
export const pathOf = (folder: string, name: string): string | Buffer =>
  /[\ud800-\udfff]/.test(name) ? Buffer.concat([Buffer.from(folder + sep), bytesOfName(name)]) : join(folder, name);
