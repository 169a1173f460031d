import { promisify } from 'node:util';
import { gunzip as unpack } from 'node:zlib';
import { FormatError } from '../core/errors.js';
import { mostUnpacked, refuseUnpacked } from '../core/unpacked.js';

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** `bytes`, unpacked if they begin like gzip. @throws FormatError where they do not unpack, or to too much. */
export async function gunzipped(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  const maxOutputLength = mostUnpacked(bytes.length);
  return promisify(unpack)(bytes, { maxOutputLength }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_BUFFER_TOO_LARGE') return refuseUnpacked(file, bytes.length);
    throw new FormatError(`${file}: gzip data must unpack; got '${error.message}'. Download the file again.`);
  });
}
