import { check, isPlain, listOf, needed, type Rule, shown, text, whole } from '../core/check.js';
import { ConfigError, FormatError } from '../core/errors.js';
import type { Setting } from '../core/settings.js';
import { version as own } from '../core/version.js';
import { parseJson } from '../io/json.js';
import { demoConfig, type PretrainConfig, pretrainSettings } from '../moco/config.js';

/** Metadata are strings, and JSON has numbers. Nothing else is made a string: an object may say how. */
const digits = (v: unknown): boolean => ['string', 'number'].includes(typeof v) && /^\d{1,15}$/.test(String(v));

/** What a checkpoint of a run says of itself, in the metadata of its tensors. */
const ABOUT: Record<string, Rule> = {
  format: needed({ is: 'dawngrad-moco', holds: (v) => v === 'dawngrad-moco' }),
  version: needed(text),
  step: needed({ is: 'a whole number, at least 0', holds: digits }),
  metrics: needed({ is: 'a whole number, at least 0', holds: digits }),
  pictures: { is: 'a whole number, at least 1', holds: (v) => digits(v) && Number(v) > 0 },
  method: pretrainSettings.method.rule,
  model: pretrainSettings.model.rule,
  stem: pretrainSettings.stem.rule,
  head: pretrainSettings.head.rule,
  dim: { is: 'a whole number above 0', holds: (v) => digits(v) && Number(v) > 0 },
};

const choiceRules: Record<string, Rule> = { classes: listOf(text), limitPerClass: whole(1), count: whole(1) };

/** The fields of config.json, besides `config`, whose rows are the settings'. */
const RUN: Record<string, Rule> = {
  version: needed(text),
  adapter: text,
  products: text,
  command: text,
  data: needed(text),
  test: text,
  seed: pretrainSettings.seed.rule,
};

const ADVICE = 'Restore the file, or start a new run.';

/** @throws FormatError that names the field: every one known, by its rule, and those that are needed there. */
function checkFields(
  where: string,
  v: unknown,
  rules: Readonly<Record<string, Rule>>,
  { inside = '', advice = ADVICE } = {},
): void {
  if (!isPlain(v)) throw new FormatError(`${where}: ${inside || 'it'} must be an object; got ${shown(v)}. ${advice}`);
  try {
    for (const name of Object.keys(v))
      check(where, `the field ${shown(inside + name)}`, Object.hasOwn(rules, name), known, advice);
    for (const [name, rule] of Object.entries(rules))
      if (v[name] !== undefined || rule.needed) check(where, `${inside}${name}`, v[name], rule, advice);
  } catch (error) {
    throw error instanceof ConfigError ? new FormatError(error.message) : error;
  }
}

const known: Rule = { is: 'known', holds: (v) => v === true };

/** The object that a text of JSON holds. @throws FormatError for other text, and for a name that stands there twice. */
function objectIn(where: string, json: string): Record<string, unknown> {
  try {
    const value = parseJson(json);
    if (isPlain(value)) return value;
  } catch (error) {
    throw new FormatError(`${where}: it must be JSON, each name once; got '${(error as Error).message}'. ${ADVICE}`);
  }
  throw new FormatError(`${where}: it must be a JSON object; got another value. ${ADVICE}`);
}

/** Versions whose configurations mean the same: before 1.0 those of one minor version, then of one major. */
const series = (version: string): string => /^(0\.\d+|[1-9]\d*)(?=\.)/.exec(version)?.[0] ?? 'none';

function checkVersion(where: string, version: string): void {
  if (series(version) !== series(own))
    throw new FormatError(
      `${where}: version must be one of ${series(own)}; got ${shown(version)}. ` +
        'Settings may mean something else there: go on with the dawngrad that began the run, or start a new one.',
    );
}

/** config.json of a run: everything needed to do it again. */
export interface RunInfo {
  version: string;
  adapter: string;
  /** How matrices were multiplied there: see `multipliedIn`. Older runs do not say. */
  products?: string;
  command: string;
  /** What was trained on: a path, or `synthetic`. */
  data: string;
  /** Where the pictures are that it is measured on, if they are no part of `data`. */
  test?: string;
  /** How the pictures were chosen from it. */
  choice: { classes?: string[]; limitPerClass?: number; count?: number };
  config: PretrainConfig;
}

/**
 * Reads a run's config.json. Settings that older runs did not have are filled in by their defaults.
 * @param where the file, for messages.
 * @throws FormatError, which names the field, for one that is missing, unknown or against its rule, and for a
 * configuration of another version.
 */
export function readRunFile(json: string, where: string): RunInfo {
  const { config, choice = {}, ...rest } = objectIn(where, json);
  if (typeof rest.version === 'string') checkVersion(where, rest.version); // its fields may be others
  checkFields(where, rest, RUN);
  checkFields(where, choice, choiceRules, { inside: 'choice.' });
  const rules = Object.fromEntries(Object.entries<Setting>(pretrainSettings).map(([name, { rule }]) => [name, rule]));
  checkFields(where, config, { ...rules, model: needed(rules.model) }, { inside: 'config.' });
  const { seed: _, ...info } = rest;
  return { adapter: '', command: '', ...info, choice, config: { ...demoConfig, ...(config as object) } } as RunInfo;
}

/** What a run's checkpoint says of itself, numbers as numbers. */
export interface CheckpointFile {
  version: string;
  step: number;
  /** Lines of metrics that were written before it. */
  metrics: number;
  /** Pictures to train on; older checkpoints do not say. */
  pictures?: number;
}

/**
 * Checks the metadata of a run's checkpoint. Fields of other names are passed over: programs add their own.
 * @throws FormatError that names the field.
 */
export function readCheckpointFile(about: Readonly<Record<string, unknown>>, where: string): CheckpointFile {
  const named = Object.fromEntries(Object.entries(about).filter(([name]) => Object.hasOwn(ABOUT, name)));
  const advice = `A run did not write it, or it is damaged: dawngrad convert ${where} OUT makes a run of its weights.`;
  checkFields(where, named, ABOUT, { advice });
  const { version, step, metrics, pictures } = about;
  checkVersion(where, version as string);
  return {
    version: version as string,
    step: Number(step),
    metrics: Number(metrics),
    ...(pictures !== undefined && { pictures: Number(pictures) }),
  };
}
