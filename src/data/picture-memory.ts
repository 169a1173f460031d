import { ConfigError } from '../core/errors.js';

/** Memory for `count` pictures, u8 [count, height, width, 3]. @throws ConfigError where there is none so large. */
export function roomFor(where: string, count: number, height: number, width: number): Uint8Array {
  const bytes = count * height * width * 3;
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new ConfigError(
      `${where}: the pictures must fit into memory; got ${count} of ${width}×${height}, ` +
        `${(bytes / 2 ** 30).toFixed(1)} GiB. ` +
        'Choose fewer classes or a limit per class, or put them as files into a folder, which can be streamed.',
    );
  }
}
