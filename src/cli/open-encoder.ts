import type { EncoderFile, Said } from '../checkpoints/encoder.js';
import { openEncoder } from '../train/encoder.node.js';
import type { Parsed } from './args.js';
import { encoderFlags } from './flags.js';
import type { Output } from './output.js';

/** What flags say of an encoder. A flag that contradicts the run or the file is refused where the file is read. */
export function encoderOptions({ flags }: Pick<Parsed, 'flags'>): Said {
  const names = [...encoderFlags.map((f) => f.name), 'size'];
  return Object.fromEntries(names.flatMap((name) => (flags.has(name) ? [[name, flags.get(name)]] : [])));
}

/** Logs what was taken and assumed, and what is wrong with the values. */
export function logEncoder<T extends Pick<EncoderFile, 'taken' | 'notes' | 'warnings'>>(encoder: T, out: Output): T {
  for (const text of [encoder.taken ?? [], encoder.notes].flat()) out.log(text);
  for (const warning of encoder.warnings) out.warn(warning);
  return encoder;
}

/** Opens the encoder of a run or checkpoint, and logs what it is. */
export const openEncoderOf = async (from: string, args: Parsed, out: Output): Promise<EncoderFile> =>
  logEncoder(await openEncoder(from, encoderOptions(args)), out);
