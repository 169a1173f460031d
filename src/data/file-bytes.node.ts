import { open } from 'node:fs/promises';
import { FormatError } from '../core/errors.js';
import { gunzipped } from './gunzip.node.js';

const BLOCK = 2 ** 30; // bytes that a read may ask for, and some more

/** The bytes of `file`, unpacked if they begin like gzip. A file that cannot be read or unpacked is a FormatError. */
export async function readBytes(file: string): Promise<Uint8Array> {
  return gunzipped(await readWhole(file).catch((e: Error) => fail(file, 'the file must be readable', e)), file);
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
