import { anything, check, checkOptions, flag, isPlain, needed, oneOf, type Rule, shown } from './check.js';
import { ConfigError, FormatError } from './errors.js';
import { nearest } from './nearest.js';

/** One setting as it is written: its default, a line of help, and what it must be, which switches and choices imply. */
export type Row = { readonly help: string } & (
  | { readonly default: boolean }
  | { readonly default: string; readonly choices: readonly string[] }
  | { readonly default: string | number | readonly number[]; readonly rule: Rule }
);

/** A setting with its rule: its type, default, check, flag and help derive from it. */
export interface Setting {
  readonly default: boolean | string | number | readonly number[];
  readonly rule: Rule;
  readonly help: string;
  readonly choices?: readonly string[];
}

export type Settings = Readonly<Record<string, Setting>>;

type ValueOf<R> = R extends { readonly choices: readonly (infer C)[] }
  ? C
  : R extends { readonly default: boolean }
    ? boolean
    : R extends { readonly default: number }
      ? number
      : R extends { readonly default: string }
        ? string
        : readonly number[];

/** The type of a configuration that has a value for each setting. */
export type ConfigOf<R> = { -readonly [K in keyof R]: ValueOf<R[K]> };

/** Settings by name, a row each. */
export function settings<const R extends Readonly<Record<string, Row>>>(
  rows: R,
): { readonly [K in keyof R]: R[K] & { readonly rule: Rule } } {
  const rule = (row: Row): Rule => ('rule' in row ? row.rule : 'choices' in row ? oneOf(...row.choices) : flag);
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { rule: rule(row), ...row }])) as never;
}

/** The value of each setting where nothing is said. */
export const defaultsOf = <S extends Settings>(of: S): ConfigOf<S> =>
  Object.fromEntries(Object.entries(of).map(([name, row]) => [name, row.default])) as never;

/** The rules of options that have no default. */
export const rulesOf = <S extends Settings>(of: S): { [K in keyof S]: Rule } =>
  Object.fromEntries(Object.entries(of).map(([name, { rule }]) => [name, needed(rule)])) as never;

/** Some of the settings, in the order of `keys`. */
export const pickSettings = <S extends Settings, K extends keyof S & string>(of: S, keys: readonly K[]): Pick<S, K> =>
  Object.fromEntries(keys.map((key) => [key, of[key]])) as never;

/** Checks each setting by itself. @throws ConfigError that names one which cannot work, is missing or unknown. */
export function checkConfigOf(where: string, of: Settings, config: unknown): void {
  checkOptions(where, config, Object.fromEntries(Object.keys(of).map((name) => [name, anything])));
  for (const [name, { rule }] of Object.entries(of)) check(name, 'it', (config as Record<string, unknown>)[name], rule);
}

/**
 * The fields of a configuration that JSON holds, each a known setting or one of `others`.
 * @throws FormatError where it is no object. ConfigError for an unknown field, with the nearest known one.
 */
export function readFields(
  where: string,
  json: unknown,
  of: Settings,
  others: readonly string[] = [],
): Record<string, unknown> {
  if (!isPlain(json))
    throw new FormatError(
      `${where}: a configuration must be a JSON object of fields; got ${shown(json)}. Print one with --print-config.`,
    );
  const known = [...others, ...Object.keys(of)];
  for (const name of Object.keys(json)) {
    const near = nearest(name, known);
    const todo = near ? `Did you mean ${near}?` : 'See --print-config.';
    if (!known.includes(name)) throw new ConfigError(`${where}: every field must be known; got ${name}. ${todo}`);
  }
  return json;
}
