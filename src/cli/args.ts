import type { Rule } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

/** A flag of a command. `kind` says what follows it; a `switch` stands alone. */
export interface Flag {
  readonly name: string;
  readonly kind: 'switch' | 'text' | 'number' | 'list' | 'numbers';
  readonly help: string;
  /** What holds without it, as help shows it in brackets. */
  readonly default?: string | number;
  /** What its value must be, or the names it may be, and what to do where it is not. */
  readonly rule?: Rule;
  readonly choices?: readonly string[];
  readonly todo?: string;
  /** A flag that must not stand beside it. */
  readonly excludes?: string;
}

export type Value = boolean | string | number | string[] | number[];

export interface Parsed {
  flags: Map<string, Value>;
  positional: string[];
}

/** Reads `--name value`, `--name=value` and switches. @throws ConfigError naming the nearest known flag. */
export function parseArgs(command: string, argv: readonly string[], known: readonly Flag[]): Parsed {
  const parsed: Parsed = { flags: new Map(), positional: [] };
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (!word.startsWith('-') || word === '-') {
      parsed.positional.push(word);
      continue;
    }
    const [name, inline] = splitOnce(word === '-h' ? 'help' : word.replace(/^--?/, ''));
    const flag = known.find((f) => f.name === name);
    if (!flag) {
      const near = nearest(
        name,
        known.map((f) => f.name),
      );
      throw new ConfigError(
        `${command}: every flag must be known; got --${name}. ` +
          `${near ? `Did you mean --${near}?` : `See dawngrad ${command} --help.`}`,
      );
    }
    if (flag.kind === 'switch') {
      if (inline !== undefined)
        throw new ConfigError(`--${name}: it stands alone; got a value, ${inline}. Leave the value out.`);
      parsed.flags.set(name, true);
      continue;
    }
    const given = inline ?? argv[++i];
    if (given === undefined || (inline === undefined && given.startsWith('--')))
      throw new ConfigError(
        `--${name}: a value must follow; got none. Write --${name} ${flag.kind === 'number' ? '1' : 'VALUE'}.`,
      );
    parsed.flags.set(name, convert(flag, given));
  }
  return parsed;
}

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function convert({ name, kind }: Flag, given: string): Value {
  if (kind === 'text') return given;
  if (kind === 'number') return numberIn(name, given, given, 'a number', 'Write it in digits.');
  const list = given
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean);
  if (kind === 'list') return list;
  return list.map((word) => numberIn(name, word, given, 'numbers', 'Write them with commas between.'));
}

function numberIn(name: string, word: string, given: string, what: string, todo: string): number {
  const value = Number(word);
  if (word.trim() === '' || !Number.isFinite(value))
    throw new ConfigError(`--${name}: it takes ${what}; got ${given}. ${todo}`);
  return value;
}

/** The flags as lines of help: two columns, and in brackets what holds without a flag. */
export function describeFlags(flags: readonly Flag[]): string {
  const follows = { switch: '', number: ' N', text: ' TEXT', list: ' A,B', numbers: ' A,B' };
  const left = ({ name, kind }: Flag) => `--${name}${follows[kind]}`;
  const width = Math.max(...flags.map((f) => left(f).length));
  return flags
    .map((f) => `  ${left(f).padEnd(width)}  ${f.help}${f.default === undefined ? '' : ` (${f.default})`}`)
    .join('\n');
}

/** The command as a shell takes it. */
export const commandLine = (command: string, argv: readonly string[]): string =>
  [
    'dawngrad',
    command,
    ...argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`)),
  ].join(' ');
