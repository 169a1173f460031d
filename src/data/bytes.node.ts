import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { FormatError } from '../core/errors.js';

const LARGEST = 2 ** 31; // bytes after unpacking; MNIST has 47 million
const unpack = promisify(gunzip);

/** The bytes of `file`, unpacked if they begin like gzip. A file that cannot be read or unpacked is a FormatError. */
export async function readBytes(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((e: Error) => fail(file, 'the file must be readable', e));
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return unpack(bytes, { maxOutputLength: LARGEST }).catch((e: Error) => fail(file, 'gzip data must unpack', e));
}

function fail(file: string, rule: string, cause: Error): never {
  throw new FormatError(`${file}: ${rule}; got '${cause.message}'. Check the path, or download the file again.`);
}
