import {
  above0,
  atLeast0,
  callable,
  check,
  checkOptions,
  instance,
  isRecord,
  needed,
  type Rule,
  shown,
  upTo1,
  whole,
} from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Module } from '../nn/module.js';
import { type Rate, rateOf } from '../ops/update.js';
import { FlatParameters } from '../optim/flat.js';
import type { Optimizer } from '../optim/optimizer.js';
import { checkTensor, type Tensor } from '../tensor/tensor.js';
import type { Part } from './method.js';

export const seedRule: Rule = { is: 'a whole number below 2^32', holds: whole(0, 2 ** 32 - 1).holds };
/** Options that methods share, and those of methods with a memory of keys. */
export const methodRules = { T: needed(above0), optimizer: needed(callable) };
export const memoryRules = { ...methodRules, K: needed(whole(1)), dim: needed(whole(1)), seed: needed(seedRule) };

/** Throws unless a method is given what builds its encoder, and options that can work. */
export function checkMethod(
  where: string,
  encoder: unknown,
  options: unknown,
  rules: Readonly<Record<string, Rule>>,
): void {
  check(where, 'the encoder', encoder, callable, 'Pass a function that builds one.');
  checkOptions(where, options, rules);
}

/** What `encoder` builds. @throws ConfigError unless it is a module. */
export function builtBy(where: string, encoder: () => Module): Module {
  const model = encoder();
  check(where, 'the encoder', model, instance(Module, 'Module'), 'Build a model.');
  return model;
}

/** The optimizer of a model's parameters, as the options make it. @throws ConfigError unless it is one. */
export function optimizerBy(where: string, make: (parameters: FlatParameters) => Optimizer, model: Module): Optimizer {
  const optimizer = make(new FlatParameters(model, { where }));
  const holds = (v: Optimizer | undefined) => v?.parameters instanceof FlatParameters && typeof v.step === 'function';
  check(where, 'what optimizer makes', optimizer, { is: 'an optimizer', holds }, 'Return new SGD(parameters, …), say.');
  return optimizer;
}

/** The rates of a step as tensors. @throws ConfigError unless its parts have the tensors that the method needs. */
export function checkStep(
  where: string,
  parts: readonly Part[],
  rates: { lr: Rate; m?: Rate },
  parted: readonly (keyof Part)[],
  m = true,
): { lr: Tensor; m: Tensor } {
  if (!Array.isArray(parts) || parts.length === 0)
    throw new ConfigError(
      `${where}: parts must be a list of at least one; got ${shown(parts)}. Pass the views of a batch.`,
    );
  for (const part of parts as readonly Part[]) {
    check(where, 'each part', part, { is: `an object of ${parted.join(', ')}`, holds: isRecord });
    for (const name of parted) checkTensor(where, part[name]!, name);
  }
  check(where, 'the rates', rates, { is: 'an object of lr and m', holds: isRecord });
  const lr = rateOf(where, 'lr', rates.lr, atLeast0);
  return { lr, m: m ? rateOf(where, 'm', rates.m as Rate, upTo1) : lr };
}
