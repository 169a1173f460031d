import { check, oneOf, type Rule } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Module } from '../nn/module.js';
import type { Guard } from '../ops/update.js';
import { copyInto } from '../tensor/accumulate.js';
import { moveGrad, unreached, zeroGrad } from '../tensor/autograd.js';
import { zeros } from '../tensor/fill.js';
import { checkSameShape, state, Tensor, view } from '../tensor/tensor.js';
import { room, together } from './flat-buffer.js';
import type { LossScale } from './loss-scale.js';

/** What an optimizer trains: a model, several, or parameters by name or in a list. */
export type Trainable = Module | readonly Module[] | ReadonlyMap<string, Tensor> | readonly Tensor[];

const trainable: Rule = {
  is: 'a model, a list of models, or tensors in a map or a list',
  holds: (v) =>
    v instanceof Module ||
    (v instanceof Map && v.size > 0 && [...v.values()].every((t) => t instanceof Tensor)) ||
    (Array.isArray(v) && v.length > 0 && (v.every((t) => t instanceof Tensor) || v.every((m) => m instanceof Module))),
};

/** Parameters by name; those of several models after the place of each. */
function listed(given: Trainable): [string, Tensor][] {
  if (given instanceof Module) return [...given.parameters()];
  if (given instanceof Map) return [...given];
  return (given as readonly (Module | Tensor)[]).flatMap((v, i): [string, Tensor][] =>
    v instanceof Tensor ? [[String(i), v]] : [...v.parameters()].map(([name, p]) => [`${i}.${name}`, p]),
  );
}

/** The same, each once, by its first name. @throws ConfigError for what cannot be trained, or has an optimizer. */
function namedIn(where: string, given: Trainable): ReadonlyMap<string, Tensor> {
  const names = new Map<Tensor, string>();
  for (const [name, p] of listed(given)) {
    if (!p.requiresGrad || p.dtype !== 'f32')
      throw new ConfigError(
        `${where}: what it trains must be f32 parameters; got ${name}, a ${p.label}. Make it with parameter().`,
      );
    if (p.storage.parent)
      throw new ConfigError(
        `${where}: a parameter must have one optimizer; got ${name}, which another trains. ` +
          'Pass all models to one optimizer, or build the model anew.',
      );
    if (!names.has(p)) names.set(p, name);
  }
  if (names.size === 0)
    throw new ConfigError(`${where}: the model must have parameters; got none that is trained. Pass one that has.`);
  return new Map([...names].map(([p, name]) => [name, p]));
}

/**
 * The parameters of what an optimizer is given. @throws ConfigError for anything else, or what another optimizer
 * trains.
 */
export function parametersOf(where: string, given: FlatParameters | Trainable): FlatParameters {
  if (given instanceof FlatParameters) return given;
  check(where, 'what it trains', given, trainable, 'Pass the model.');
  return new FlatParameters(given, { where });
}

/**
 * All parameters of a model in one buffer, so that an optimizer or a momentum update is one dispatch.
 * The model's tensors become parts of it, at the same places for models built alike.
 */
export class FlatParameters {
  readonly named: ReadonlyMap<string, Tensor>;
  /** [length], every parameter, with zeros between them. */
  readonly values: Tensor;
  /** [length], every gradient, if asked for. */
  readonly grads?: Tensor;
  /** Where gradients are of a scaled loss: what it is scaled by, and the test that each step has to pass. */
  lossScale?: LossScale;
  readonly #starts = new Map<string, number>();

  constructor(model: Trainable, { gradients = true, where = 'FlatParameters' } = {}) {
    this.named = namedIn(where, model);
    let length = 0;
    for (const [name, p] of this.named) {
      this.#starts.set(name, length);
      length += room(p);
    }
    this.values = together([...this.named.values()]);
    if (gradients) this.grads = state(zeros([length]));
    for (const [name, p] of this.named) {
      if (this.grads) moveGrad(p, this.part(this.grads, name));
      else p.requiresGrad = false;
    }
  }

  /** The part of a flat tensor of this layout that belongs to the parameter `name`, in its shape. */
  part(flat: Tensor, name: string): Tensor {
    checkSameShape('part', 'the flat tensor', flat, this.values.shape);
    return view(flat, this.named.get(name)?.shape ?? [], this.startOf(name));
  }

  /** Where the parameter `name` starts, in elements. */
  startOf(name: string): number {
    check('FlatParameters', 'the name', name, oneOf(...this.#starts.keys()), 'Choose one.');
    return this.#starts.get(name)!;
  }

  /** What a checkpoint must hold besides the parameters, by name. */
  state(): [string, Tensor][] {
    return this.lossScale ? [['loss_scale', this.lossScale.state]] : [];
  }

  /** The next `backward` overwrites the gradients. */
  zeroGrad(): void {
    zeroGrad(this.named.values());
  }

  /** Sets gradients that the last `backward` did not reach to zero. */
  settle(): void {
    for (const grad of unreached(this.named.values())) copyInto(grad, zeros(grad.shape));
  }

  /** Hands values, gradients and the guard of scaled ones to an optimizer's step, and spends the gradients. */
  update(step: (values: Tensor, grads: Tensor, guard?: Guard) => void): void {
    if (!this.grads)
      throw new ConfigError(
        'update: parameters must have gradients; got those of an encoder that follows another. ' +
          'Leave out `gradients: false`.',
      );
    this.settle();
    step(this.values, this.grads, this.lossScale?.test(this.grads));
    this.zeroGrad();
  }
}
