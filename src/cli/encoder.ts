import type { EncoderFile, Said } from '../checkpoints/encoder.js';
import { openEncoder } from '../train/encoder.node.js';
import type { Flag, Parsed } from './args.js';
import type { Output } from './common.js';

/** Flags of every command that reads an encoder; `saidOf` takes their values. */
export const saidFlags: readonly Flag[] = [
  { name: 'heads', kind: 'number', help: "attention heads of a vision transformer (the run's; else MoCo v3's if its positions are; else width / 64)" },
  { name: 'stem', kind: 'text', help: "stem of a ResNet: imagenet, cifar or small (the run's; else as conv1.weight is)" },
  { name: 'prefix', kind: 'text', help: 'what stands before the names of the encoder, where a checkpoint holds several (the trained one)' },
];

/** What flags say of an encoder. A flag that contradicts the run or the file is refused where the file is read. */
export function saidOf({ flags }: Pick<Parsed, 'flags'>): Said {
  const names = ['heads', 'stem', 'prefix', 'size'];
  return Object.fromEntries(names.flatMap((name) => (flags.has(name) ? [[name, flags.get(name)]] : [])));
}

/** Says what was taken and assumed, and what is wrong with the values. */
export function tellOf<T extends Pick<EncoderFile, 'taken' | 'notes' | 'warnings'>>(encoder: T, out: Output): T {
  for (const text of [encoder.taken ?? [], encoder.notes].flat()) out.tell(text);
  for (const warning of encoder.warnings) out.warn(warning);
  return encoder;
}

/** Opens the encoder of a run or checkpoint, and tells of it. */
export const openTold = async (from: string, args: Parsed, out: Output): Promise<EncoderFile> => tellOf(await openEncoder(from, saidOf(args)), out);
