import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { check, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { binary } from '../core/numbers.js';
import { gunzipped } from '../data/gunzip.node.js';
import { decodeSafetensors } from '../io/safetensors.js';
import { decodeTorch, isTorch } from '../io/torch.js';
import { torchWeights, type Weights } from './layout.js';
import { plainNames } from './tensor-names.js';

const CHUNK = 2 ** 29; // bytes of one read: the system refuses 2 GiB at once

/**
 * Reads a checkpoint, safetensors or PyTorch's, whichever it is by its first bytes, packed by gzip or not, and by its
 * `.index.json` one that lies in several files. Names are plain: without what wrappers put into them.
 * @throws FormatError for anything else, named for what it is.
 */
export async function readWeights(file: string): Promise<Weights> {
  check('readWeights', 'the file', file, text);
  const bytes = await gunzipped(await readWhole(file), file);
  const shards = shardsIn(bytes, file);
  if (shards) return joined(await Promise.all(shards.map((shard) => readWeights(shard))), file);
  if (isTorch(bytes)) return torchWeights(await decodeTorch(bytes, file), file);
  const { tensors, metadata, skipped } = decodeSafetensors(bytes, file);
  return { tensors: plainNames(tensors, file), metadata, skipped };
}

/** All bytes of a file of any size that memory holds. */
async function readWhole(file: string): Promise<Uint8Array> {
  const fail = (got: string, advice: string): never => {
    throw new FormatError(`${file}: it must be a checkpoint that can be read; got ${got}. ${advice}`);
  };
  const handle = await open(file).catch((e: Error) => fail(`'${e.message}'`, 'Check the path.'));
  try {
    const stat = await handle.stat();
    if (stat.isDirectory())
      return fail("a folder without a run's config.json", 'Name a file in it, or the folder of a run.');
    if (!stat.isFile()) return await handle.readFile(); // a pipe does not say its size
    const bytes =
      allocate(stat.size) ??
      fail(`${binary(stat.size)}, which memory does not hold`, 'Save the weights alone, or as float16.');
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, bytes.length - at), at);
      if (bytesRead === 0) return fail(`${at} of ${bytes.length} bytes`, 'Something else is writing it: try again.');
      at += bytesRead;
    }
    return bytes;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return fail(`'${(error as Error).message}'`, 'Check the path and the disk.');
  } finally {
    await handle.close();
  }
}

function allocate(size: number): Uint8Array | undefined {
  try {
    return new Uint8Array(size);
  } catch {
    return undefined;
  }
}

/** The files that an index of Hugging Face's names: `{ weight_map: { tensor: file } }`. */
function shardsIn(bytes: Uint8Array, file: string): string[] | undefined {
  if (!file.endsWith('.json')) return undefined;
  let map: unknown;
  try {
    map = (JSON.parse(new TextDecoder().decode(bytes)) as { weight_map?: unknown } | null)?.weight_map;
  } catch {
    return undefined;
  }
  const names = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : [];
  if (names.length === 0) return undefined;
  const isName = (name: unknown): name is string =>
    typeof name === 'string' && /^[^/\\]+\.(safetensors|bin|pth?)$/.test(name);
  if (!names.every(isName))
    throw new FormatError(
      `${file}: an index must name files beside it; got ` +
        `${JSON.stringify(names.find((n) => !isName(n)))?.slice(0, 80)}. It is damaged.`,
    );
  return names.map((name) => join(dirname(file), name));
}

function joined(parts: Weights[], file: string): Weights {
  const entries = parts.flatMap(({ tensors }) => [...tensors]);
  const tensors = new Map(entries);
  if (tensors.size < entries.length)
    throw new FormatError(`${file}: its files must hold different tensors; got one twice. It is damaged.`);
  const skipped = new Map(parts.flatMap((part) => [...(part.skipped ?? [])]));
  return {
    tensors,
    skipped,
    metadata: Object.assign({}, ...parts.map((part) => part.metadata)) as Weights['metadata'],
  };
}
