import { FormatError } from '../core/errors.js';
import { bytesOf } from './bytes.js';
import { crc32Text } from './crc.js';
import type { StoredTensor } from './safetensors-types.js';

/** Metadata of a safetensors file: eight digits for each tensor's bytes, by name, and for all else the header says. */
const [TENSORS, HEADER] = ['crc32', 'crc32_header'];
const DIGITS = 8;

type Metadata = Readonly<Record<string, string>>;

/** A tensor as the header describes it. */
interface Described {
  dtype: string;
  shape: readonly number[];
}

/** The CRC-32 of the bytes of a tensor that is to be written. */
export const tensorSum = ({ data }: StoredTensor): string => crc32Text(bytesOf(data));

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** The metadata with checksums of the tensors and of itself, by which `decodeSafetensors` finds a flipped bit. */
export function withChecksums(
  tensors: ReadonlyMap<string, Described & { sum: string }>,
  metadata: Metadata,
): Record<string, string> {
  const sums = [...tensors].sort(byName).map(([, { sum }]) => sum);
  const whole = { ...metadata, [TENSORS]: sums.join('') };
  return { ...whole, [HEADER]: headerSum(tensors, whole) };
}

/** What the header says besides its own checksum, in an order of its own. */
function headerSum(tensors: ReadonlyMap<string, Described>, metadata: Metadata): string {
  const said = Object.entries(metadata).filter(([key]) => key !== HEADER);
  const described = [...tensors].sort(byName).map(([name, { dtype, shape }]) => [name, dtype, shape]);
  return crc32Text(new TextEncoder().encode(JSON.stringify([said.sort(byName), described])));
}

/**
 * The metadata without checksums, where a file has any: they are of this file alone.
 * @throws FormatError if one is another than that of what the file holds.
 */
export function checkSums(
  tensors: ReadonlyMap<string, Described & { bytes: Uint8Array }>,
  metadata: Record<string, string>,
  file: string,
): Record<string, string> {
  const { [TENSORS]: sums, [HEADER]: header, ...rest } = metadata;
  if (sums === undefined && header === undefined) return metadata;
  const fail = (what: string) => {
    throw new FormatError(
      `${file}: its checksums must be those of what it holds; got another for ${what}. ` +
        'The disk or a copy has damaged it: take another checkpoint.',
    );
  };
  if (sums === undefined || headerSum(tensors, metadata) !== header) fail('its header');
  [...tensors].sort(byName).forEach(([name, { bytes }], i) => {
    if (sums.slice(DIGITS * i, DIGITS * (i + 1)) !== crc32Text(bytes)) fail(`'${name}'`);
  });
  return rest;
}
