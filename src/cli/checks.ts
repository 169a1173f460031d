import { existsSync } from 'node:fs';
import { ConfigError, FormatError } from '../core/errors.js';
import { checkAhead } from '../input/look-ahead.js';
import type { Parsed } from './args.js';

const whole = (least: number) => (v: number) => Number.isInteger(v) && v >= least;

/** What numbers mean the same in every command that takes them, and which of them can be. */
const rules: Record<string, [holds: (v: number) => boolean, rule: string, otherwise: string]> = {
  limit: [whole(1), 'a whole number above 0', 'Leave it out to use every picture.'],
  count: [whole(1), 'a whole number above 0', 'Ask for 1000.'],
  size: [whole(1), 'a whole number of pixels above 0', 'Leave it out.'],
  seed: [(v) => whole(0)(v) && v < 2 ** 32, 'a whole number below 2^32', 'Use 1.'],
  seeds: [whole(1), 'a whole number above 0', 'Use 3.'],
  nearest: [whole(1), 'a whole number above 0', 'Use 12.'],
  heads: [whole(1), 'a whole number above 0', 'Leave it out.'],
  'held-out': [(v) => v >= 0 && v < 1, 'in [0, 1)', 'Use 0.2.'],
};

/** Checks what can be told from the flags alone, before a command opens anything. @throws ConfigError */
export function checkFlags({ flags }: Parsed): void {
  for (const [name, [holds, rule, otherwise]] of Object.entries(rules)) {
    const value = flags.get(name);
    if (typeof value === 'number' && !holds(value)) throw new ConfigError(`--${name}: it must be ${rule}; got ${value}. ${otherwise}`);
  }
  if (flags.has('stream') && flags.has('no-stream')) throw new ConfigError('--stream: it and --no-stream exclude each other; got both. Leave one out.');
  if (typeof flags.get('ahead') === 'number') checkAhead(flags.get('ahead') as number);
  const adapter = flags.get('adapter');
  if (adapter !== undefined && !['any', 'hardware', 'software'].includes(adapter as string))
    throw new ConfigError(`adapter: it must be any, hardware or software; got ${String(adapter)}. Choose one.`);
}

/** Sees that pictures are there, before anything is computed for them. @throws FormatError */
export function checkData(...paths: (string | undefined)[]): void {
  for (const path of paths)
    if (path !== undefined && path !== 'drawn' && !existsSync(path)) throw new FormatError(`${path}: the pictures must exist; got nothing there. Check the path.`);
}
