import { ConfigError } from './errors.js';
import { visibleName } from './visible.js';

/** What a value must be, in the words that follow "must be", and whether one is. */
export interface Rule {
  readonly is: string;
  readonly holds: (v: any) => boolean;
  /** Of an option that has no default. */
  readonly needed?: true;
}

/** A value as a message shows it: short, whatever it is. */
export function shown(v: unknown): string {
  if (typeof v === 'string') return `'${visibleName(v, 40)}'`;
  if (typeof v === 'function') return 'a function';
  if (typeof v !== 'object' || v === null) return String(v);
  if (!Array.isArray(v)) return kind(v);
  return `[${v
    .slice(0, 6)
    .map((x) => (typeof x === 'object' && x !== null ? kind(x) : shown(x)))
    .join(', ')}${v.length > 6 ? ', …' : ''}]`;
}

function kind(v: object): string {
  const name: unknown = Array.isArray(v) ? 'list' : v.constructor?.name;
  return typeof name !== 'string' || name === 'Object' || name === ''
    ? 'an object'
    : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** @throws ConfigError unless the rule holds: `where: what must be …; got …. Correct it.` */
export function check(where: string, what: string, v: unknown, { is, holds }: Rule, todo = 'Correct it.'): void {
  if (!holds(v)) throw new ConfigError(`${where}: ${what} must be ${is}; got ${shown(v)}. ${todo}`);
}

/** Whether `v` is an object whose fields can be read as options. */
export const isRecord = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v) && !('dtype' in v);

/** Whether `v` is an object as `{ name: value }` makes it, of this page or another. */
export function isPlain(v: unknown): v is Record<string, unknown> {
  if (typeof v !== 'object' || v === null) return false;
  const from: unknown = Object.getPrototypeOf(v);
  return from === null || Object.getPrototypeOf(from) === null;
}

/**
 * @throws ConfigError unless `options` is an object of known names, each of which obeys its rule or is left out. Those
 * of `fixed` are no options here.
 */
export function checkOptions(
  where: string,
  options: unknown,
  rules: Readonly<Record<string, Rule>>,
  fixed: readonly string[] = [],
): void {
  const names = Object.keys(rules).filter((name) => !fixed.includes(name));
  const known = names.join(', ');
  if (!isPlain(options))
    throw new ConfigError(`${where}: options must be an object of ${known}; got ${shown(options)}. Name each.`);
  for (const name of Object.keys(options))
    if (!names.includes(name))
      throw new ConfigError(
        `${where}: options must be among ${known}; got the unknown option ${name}. Correct its name.`,
      );
  for (const name of names)
    if (options[name] !== undefined || rules[name].needed) check(where, name, options[name], rules[name]);
}

const LARGEST = Number.MAX_SAFE_INTEGER;

export const needed = (rule: Rule): Rule => ({ ...rule, needed: true });

const rangeOf = (least: number, most: number): string => {
  if (most < LARGEST) return ` in [${least}, ${most}]`;
  if (least > 0) return ` above ${least - 1}`;
  return least > -LARGEST ? `, at least ${least}` : '';
};

/** A whole number from `least` to `most`. */
export const whole = (least: number, most = LARGEST): Rule => ({
  is: `a whole number${rangeOf(least, most)}`,
  holds: (v) => Number.isInteger(v) && v >= least && v <= most,
});

/** A finite number for which `holds`; `is` says which. */
export const finite = (is: string, holds: (v: number) => boolean): Rule => ({
  is: `a number${is}`,
  holds: (v) => Number.isFinite(v) && holds(v),
});

export const anyNumber: Rule = finite('', () => true);
export const above0: Rule = finite(' above 0', (v) => v > 0);
export const atLeast0: Rule = finite(', at least 0', (v) => v >= 0);
/** In [0, 1). */
export const below1: Rule = finite(' in [0, 1)', (v) => v >= 0 && v < 1);
export const upTo1: Rule = finite(' in [0, 1]', (v) => v >= 0 && v <= 1);
export const flag: Rule = { is: 'true or false', holds: (v) => typeof v === 'boolean' };
export const text: Rule = { is: 'a string', holds: (v) => typeof v === 'string' };
export const callable: Rule = { is: 'a function', holds: (v) => typeof v === 'function' };
/** Of work that has a beginning and an end: what an async function does after its first `await` would fall outside. */
export const synchronous: Rule = {
  is: 'a function, not an async one',
  holds: (v) => typeof v === 'function' && v.constructor?.name !== 'AsyncFunction',
};
/** Any option that is checked where it is used. */
export const anything: Rule = { is: 'given', holds: (v) => v !== undefined };

/** One of a few names. */
export const oneOf = (...names: readonly string[]): Rule => ({
  is: `${names.slice(0, -1).join(', ')}${names.length > 1 ? ' or ' : ''}${names.at(-1)}`,
  holds: (v) => names.includes(v),
});

/** An array, of so many entries if it is said, each of which obeys a rule. */
export const listOf = (each: Rule, length?: number): Rule => ({
  is: `a list${length === undefined ? '' : ` of ${length}`}, each ${each.is}`,
  // from: holes count
  holds: (v) => Array.isArray(v) && (length ?? v.length) === v.length && Array.from(v).every(each.holds),
});

/** A value, or undefined. */
export const maybe = (rule: Rule): Rule => ({
  is: `${rule.is}, or left out`,
  holds: (v) => v === undefined || rule.holds(v),
});

/** An instance of a class. */
export const instance = (of: abstract new (...args: never) => unknown, name = of.name): Rule => ({
  is: `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`,
  holds: (v) => v instanceof of,
});
