import { open } from 'node:fs/promises';
import { readHeader } from './safetensors-header.js';

/** The metadata of a safetensors file, of which only the header is read; undefined if there is no such file. */
export async function readMetadata(file: string): Promise<Record<string, string> | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    const length = new Uint8Array(8);
    await handle.read(length, 0, 8, 0);
    const end = 8 + Number(new DataView(length.buffer).getBigUint64(0, true));
    const bytes = new Uint8Array(Math.min(size, end));
    await handle.read(bytes, 0, bytes.length, 0);
    return readHeader(bytes, file).metadata;
  } finally {
    await handle.close();
  }
}
