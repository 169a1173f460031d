import { callable, check, flag, instance, text } from '../core/check.js';
import { ConfigError, DawngradError, ShapeError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import { dependsOn, onReplay } from '../tensor/replay.js';
import { checkTensor, Tensor } from '../tensor/tensor.js';

/** What a module holds by name: a parameter or buffer, or the count of batches that a batch norm has seen. */
export type Entry = { name: string; tensor: Tensor } | { name: string; counter: Counter };

/** A number that belongs to a module's state but to no kernel. */
export interface Counter {
  value: number;
}

const isCounter = (v: unknown): v is Counter => typeof v === 'object' && v !== null && Object.keys(v).join() === 'value';
const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/**
 * A layer or model. Tensors, modules and lists of modules held in its fields are its state, named
 * after the fields as PyTorch would: `layer1.0.conv1.weight`, `bn1.running_mean`.
 */
export abstract class Module {
  #training = true;

  /** Batch statistics are used and updated while training; see `train`. What a compiled function does may depend on it. */
  get training(): boolean {
    dependsOn(this, () => this.#training);
    return this.#training;
  }

  set training(training: boolean) {
    check('training', 'it', training, flag);
    dependsOn(this, () => this.#training);
    const set = () => void (this.#training = training);
    set();
    onReplay(set);
  }

  /** What the module computes of `x`; each module says of what shapes. Define it in a class of your own, and call `call`. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Runs the module: `forward`, of the same arguments.
   *
   * @throws DawngradError what `forward` throws, after the name of the layer that threw: `layer1.0.conv1: conv2d: …`.
   */
  call(...args: Parameters<this['forward']>): Tensor {
    try {
      const kind = this.constructor.name.replace(/^_/, '');
      check(kind, 'forward', this.forward, callable, 'Define it in the class.');
      checkTensor(kind, args[0], 'the input');
      const run = () => Reflect.apply(this.forward, this, args) as Tensor;
      return tracer ? tracer.enter(this, run) : run();
    } catch (error) {
      throw nameLayer(error, this);
    }
  }

  /** Modules by name, in order. */
  children(): [string, Module][] {
    return Object.entries(this).flatMap(([key, value]): [string, Module][] => {
      if (value instanceof Module) return [[snake(key), value]];
      if (Array.isArray(value)) return value.flatMap((v, i): [string, Module][] => (v instanceof Module ? [[`${snake(key)}.${i}`, v]] : []));
      return [];
    });
  }

  /** Every parameter, buffer and counter with its full name. */
  *entries(prefix = ''): Generator<Entry> {
    check('entries', 'the prefix', prefix, text);
    for (const [key, value] of Object.entries(this)) {
      if (value instanceof Tensor) yield { name: prefix + snake(key), tensor: value };
      else if (isCounter(value)) yield { name: prefix + snake(key), counter: value };
    }
    for (const [name, child] of this.children()) yield* child.entries(`${prefix}${name}.`);
  }

  /** Parameters by name. */
  parameters(): Map<string, Tensor> {
    const named = new Map<string, Tensor>();
    for (const e of this.entries()) if ('tensor' in e && e.tensor.requiresGrad) named.set(e.name, e.tensor);
    return named;
  }

  /** Switches this module and all inside it to training, or with `false` to evaluation. */
  train(training = true): this {
    check('train', 'training', training, flag);
    this.training = training;
    for (const [, child] of this.children()) child.train(training);
    return this;
  }

  /** Switches to evaluation: batch norms use their running statistics. The same as train(false). */
  eval(): this {
    return this.train(false);
  }
}

/** What sees modules run. */
export interface Tracer {
  enter(module: Module, forward: () => Tensor): Tensor;
}

let tracer: Tracer | undefined;

/** Runs `fn` with modules in sight of `seen`. */
export function tracing<T>(seen: Tracer, fn: () => T): T {
  tracer = seen;
  try {
    return fn();
  } finally {
    tracer = undefined;
  }
}

/** By error: the module it has come out of so far, the names from there to the layer that threw, and what was thrown. */
const thrown = new WeakMap<Error, { module: Module; path: string; message: string }>();

/** Puts the name of the layer that threw before the message: `layer1.0.conv1: conv2d: …`. */
function nameLayer(error: unknown, module: Module): unknown {
  if (!(error instanceof DawngradError)) return error;
  const { module: child, path: inner, message } = thrown.get(error) ?? { path: '', message: error.message };
  const name = module.children().find(([, m]) => m === child)?.[0];
  const path = [name, inner].filter(Boolean).join('.');
  if (path) error.message = `${path}: ${message}`;
  thrown.set(error, { module, path, message });
  return error;
}

/** Copies every value of `from` into `to`; their names and shapes must agree. */
export async function copyState(from: Module, to: Module): Promise<void> {
  for (const model of [from, to]) check('copyState', 'each model', model, instance(Module, 'Module'));
  const source = new Map([...from.entries()].map((e) => [e.name, e]));
  for (const e of to.entries()) {
    const s = source.get(e.name);
    if (!s) throw new ConfigError(`copyState: models must have the same tensors; got no ${e.name}. Build both alike.`);
    if ('counter' in e && 'counter' in s) e.counter.value = s.counter.value;
    if (!('tensor' in e && 'tensor' in s)) continue;
    if (!sameShape(e.tensor.shape, s.tensor.shape))
      throw new ShapeError(`copyState: ${e.name} must have shape ${show(e.tensor.shape)}; got ${show(s.tensor.shape)}. Build both alike.`);
    e.tensor.set(await s.tensor.data());
  }
}
