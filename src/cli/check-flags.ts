import { existsSync } from 'node:fs';
import { check, oneOf } from '../core/check.js';
import { ConfigError, FormatError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { SYNTHETIC } from '../data/synthetic.js';
import type { Flag, Parsed } from './args.js';

/** Checks the flags by themselves, each by its row, before a command opens anything. @throws ConfigError */
export function checkFlags({ flags: given }: Pick<Parsed, 'flags'>, known: readonly Flag[]): void {
  for (const { name, rule, choices, todo, excludes } of known) {
    const value = given.get(name);
    if (value === undefined) continue;
    if (excludes !== undefined && given.has(excludes))
      throw new ConfigError(`--${name}: it and --${excludes} exclude each other; got both. Leave one out.`);
    const near = choices && nearest(String(value), choices);
    if (choices) check(`--${name}`, 'it', value, oneOf(...choices), near ? `Did you mean ${near}?` : 'Choose one.');
    else if (rule) check(`--${name}`, 'it', value, rule, todo);
  }
}

/** Sees that pictures are there, before anything is computed for them. @throws FormatError */
export function checkData(...paths: (string | undefined)[]): void {
  for (const path of paths)
    if (path !== undefined && path !== SYNTHETIC && !existsSync(path))
      throw new FormatError(`${path}: the pictures must exist; got nothing there. Check the path.`);
}
