import { context } from '../backend/context.js';
import { callable, check, checkOptions, flag, instance, text, whole } from '../core/check.js';
import { ConfigError, DawngradError, ShapeError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import { dependsOn, onReplay } from '../tensor/replay.js';
import { checkTensor, empty, Tensor } from '../tensor/tensor.js';

/** What a module holds by name: a parameter or buffer, or the count of batches that a batch norm has seen. */
export type Entry = { name: string; tensor: Tensor } | { name: string; counter: Counter };

/** A number that belongs to a module's state but to no kernel. */
export interface Counter {
  value: number;
}

const isCounter = (v: unknown): v is Counter =>
  typeof v === 'object' && v !== null && Object.keys(v).join() === 'value';
const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/**
 * A layer or model. Tensors, modules and lists of modules held in its fields are its state, named
 * after the fields as PyTorch would: `layer1.0.conv1.weight`, `bn1.running_mean`.
 */
export abstract class Module {
  #training = true;

  /**
   * Batch statistics are used and updated while training; see `train`. What a compiled function does may depend on it.
   */
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

  /**
   * What the module computes of `x`; each module says of what shapes. Define it in a class of your own, and call
   * `call`.
   */
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
      return context.tracer ? context.tracer.enter(this, run) : run();
    } catch (error) {
      throw nameLayer(error, this);
    }
  }

  /** Modules by name, in order. */
  children(): [string, Module][] {
    return Object.entries(this).flatMap(([key, value]): [string, Module][] => {
      if (value instanceof Module) return [[snake(key), value]];
      if (Array.isArray(value))
        return value.flatMap((v, i): [string, Module][] => (v instanceof Module ? [[`${snake(key)}.${i}`, v]] : []));
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

  /**
   * Everything by name that a checkpoint of the model holds: parameters, running statistics, and i32 [] counts of
   * batches. Parameters and statistics are the model's own tensors, not copies.
   */
  state(): Map<string, Tensor> {
    const entries = [...this.entries()];
    const on = entries.flatMap((e) => ('tensor' in e ? [e.tensor.backend] : []))[0];
    const count = ({ value }: Counter) => empty([], 'i32', on).set([value]);
    return new Map(entries.map((e) => [e.name, 'tensor' in e ? e.tensor : count(e.counter)]));
  }

  /**
   * Takes the values of `state`, as `state()` gives it, on this backend or another.
   *
   * @param options `strict`: whether every tensor must have its counterpart; without, what has none stays as it is.
   * @throws ConfigError for missing and unexpected names, ShapeError for other shapes; nothing is changed then.
   */
  async load(state: ReadonlyMap<string, Tensor>, options: { strict?: boolean } = {}): Promise<this> {
    check('load', 'the state', state, instance(Map), 'Pass what state() gives.');
    for (const [name, t] of state) checkTensor('load', t, name);
    checkOptions('load', options, { strict: flag });
    const { strict = true } = options;
    const mine = new Map([...this.entries()].map((e) => [e.name, e]));
    const [missing, unexpected] = [
      [...mine.keys()].filter((n) => !state.has(n)),
      [...state.keys()].filter((n) => !mine.has(n)),
    ];
    if (strict && missing.length + unexpected.length > 0)
      throw new ConfigError(
        `load: the state must hold just the model's tensors; got ` +
          [list('missing', missing), list('unexpected', unexpected)].filter(Boolean).join(', ') +
          '. Build the model that it is of, or pass { strict: false }.',
      );
    const pairs = [...mine.values()].flatMap((e) => (state.has(e.name) ? [[e, state.get(e.name)!] as const] : []));
    for (const [e, from] of pairs) {
      const shape = 'tensor' in e ? e.tensor.shape : [];
      if (!sameShape(shape, from.shape))
        throw new ShapeError(
          `load: ${e.name} must have shape ${show(shape)}; got ${show(from.shape)}. Build both alike.`,
        );
    }
    const values = await Promise.all(pairs.map(([, from]) => from.data()));
    pairs.forEach(([e], i) => 'counter' in e && check('load', e.name, values[i][0], whole(0)));
    pairs.forEach(([e], i) => ('tensor' in e ? e.tensor.set(values[i]) : void (e.counter.value = values[i][0])));
    return this;
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

/** What is wrong with names, and the first few of them; nothing where there are none. */
const list = (what: string, names: readonly string[]): string =>
  names.length === 0
    ? ''
    : `${what} ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;

/** What sees modules run. */
export interface Tracer {
  enter(module: Module, forward: () => Tensor): Tensor;
}

declare module '../backend/context.js' {
  interface Context {
    tracer?: Tracer;
  }
}

/** Puts the name of the layer that threw before the message: `layer1.0.conv1: conv2d: …`. */
function nameLayer(error: unknown, module: Module): unknown {
  if (!(error instanceof DawngradError)) return error;
  const { module: child, path: inner, message } = error.origin ?? { path: '', message: error.message };
  const name = module.children().find(([, m]) => m === child)?.[0];
  const path = [name, inner].filter(Boolean).join('.');
  if (path) error.message = `${path}: ${message}`;
  error.origin = { module, path, message };
  return error;
}
