import { check, checkOptions, type Rule, text } from '../core/check.js';
import { families, familyOf } from './families.js';
import type { Encoder, Family, ModelOptions } from './family.js';

export type { Encoder, ModelOptions } from './family.js';

/** Builds a model of a family by the options that concern it. */
const builder =
  (family: Family, name: string) =>
  (options: ModelOptions): Encoder =>
    family.build(
      name,
      Object.fromEntries(Object.entries(options).filter(([key, v]) => key in family.options && v !== undefined)),
    );

/** Models by name. */
export const models: Record<string, (options: ModelOptions) => Encoder> = Object.fromEntries(
  families.flatMap((family) => family.names.map((name) => [name, builder(family, name)])),
);

const modelRules: Record<string, Rule> = Object.fromEntries(families.flatMap(({ options }) => Object.entries(options)));

/** @throws ConfigError for an unknown name, with the nearest known one. */
export function buildModel(name: string, options: ModelOptions): Encoder {
  check('model', 'the name', name, text);
  checkOptions('model', options, modelRules);
  return Object.hasOwn(models, name) ? models[name](options) : familyOf(name).build(name, options);
}
