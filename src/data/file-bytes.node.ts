import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { FormatError } from '../core/errors.js';

const LARGEST = 2 ** 31; // bytes after unpacking; MNIST has 47 million
const BLOCK = 2 ** 30; // bytes that a read may ask for, and some more
const unpack = promisify(gunzip);

/** The bytes of `file`, unpacked if they begin like gzip. A file that cannot be read or unpacked is a FormatError. */
export async function readBytes(file: string): Promise<Uint8Array> {
  const bytes = await readWhole(file).catch((e: Error) => fail(file, 'the file must be readable', e));
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  return unpack(bytes, { maxOutputLength: LARGEST }).catch((e: NodeJS.ErrnoException) => {
    if (e.code !== 'ERR_BUFFER_TOO_LARGE') return fail(file, 'gzip data must unpack', e);
    throw new FormatError(
      `${file}: packed data must have at most ${LARGEST} bytes when unpacked; got more. ` +
        `Unpack the file with gunzip first.`,
    );
  });
}

/** All of a file, which may have more bytes than Node reads at once. */
async function readWhole(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size < BLOCK) return await handle.readFile(); // pipes, which do not tell their size, too
    const bytes = new Uint8Array(size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(BLOCK, bytes.length - at), at);
      if (bytesRead === 0) throw new Error(`it ended after ${at} of ${bytes.length} bytes`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

function fail(file: string, rule: string, cause: Error): never {
  throw new FormatError(`${file}: ${rule}; got '${cause.message}'. Check the path, or download the file again.`);
}
