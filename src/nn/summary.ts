import { within } from '../backend/context.js';
import { ShapesBackend } from '../backend/shapes.js';
import { check, instance } from '../core/check.js';
import { checkShape, numel, type Shape, sameShape, show } from '../core/shape.js';
import type { observe } from '../tensor/run.js';
import { empty, Tensor } from '../tensor/tensor.js';
import { tidy } from '../tensor/tidy.js';
import { Module } from './module.js';

/**
 * A layer, or an operation that a module of several layers does itself and that changes the shape or takes products.
 */
export interface LayerSummary {
  /** As the model's tensors are named: `layer1.0.conv1`. */
  readonly name: string;
  /** The layer's class or the operation. */
  readonly kind: string;
  readonly output: Shape;
  /** Trained values that it holds itself. */
  readonly parameters: number;
  /** Of matrix products, convolutions and attention: two for each product that is summed. */
  readonly flops: number;
}

/** What `summary` tells. */
export interface Summary {
  readonly input: Shape;
  readonly output: Shape;
  /** In the order in which they run. */
  readonly layers: readonly LayerSummary[];
  /** Of the whole model, those of layers that do not run too. Frozen tensors and running statistics are not counted. */
  readonly parameters: number;
  readonly flops: number;
  /** Multiply-accumulates, flops / 2: the number that papers and torchvision call FLOPs. */
  readonly macs: number;
  /** A table with a line for each layer and one of totals. */
  toString(): string;
}

type Row = { -readonly [K in keyof LayerSummary]: LayerSummary[K] };

/** What is known of a model while it runs on shapes alone. */
class Trace {
  readonly backend = new ShapesBackend();
  readonly rows: Row[] = [];
  readonly #names: Map<Module, string>;
  readonly #layers = new Map<Module, Row>();
  readonly #running: Module[] = [];

  constructor(model: Module) {
    this.#names = new Map(namesOf(model, ''));
  }

  enter(module: Module, forward: () => Tensor): Tensor {
    const parameters = Object.values(module).reduce(
      (n, v) => (v instanceof Tensor && v.requiresGrad ? n + v.size : n),
      0,
    );
    const layer =
      this.#layers.get(module) ??
      (isLeaf(module) || parameters > 0 ? this.#add(this.#nameOf(module), kindOf(module), parameters) : undefined);
    if (layer) this.#layers.set(module, layer);
    this.#running.push(module);
    try {
      const y = forward();
      if (layer) layer.output = y.shape;
      return y;
    } finally {
      this.#running.pop();
    }
  }

  run: Parameters<typeof observe>[0]['run'] = (primitive, inputs, outputs, params) => {
    const module = this.#running.at(-1);
    const flops = primitive.flops?.(params) ?? 0;
    if (module && isLeaf(module)) this.#layers.get(module)!.flops += flops;
    else if (flops > 0 || outputs.some((y) => !inputs.some((x) => sameShape(x.shape, y.shape))))
      Object.assign(
        this.#add([module && this.#nameOf(module), primitive.name].filter(Boolean).join('.'), primitive.name),
        { flops, output: outputs[0]?.shape ?? [] },
      );
  };

  #nameOf(module: Module): string {
    return this.#names.get(module) ?? kindOf(module);
  }

  #add(name: string, kind: string, parameters = 0): Row {
    const row: Row = { name, kind, output: [], parameters, flops: 0 };
    this.rows.push(row);
    return row;
  }
}

const isLeaf = (module: Module): boolean => module.children().length === 0;

/** Bundlers put an underscore before the name of a class that speaks of itself. */
const kindOf = (module: Module): string => module.constructor.name.replace(/^_/, '');

function* namesOf(module: Module, name: string): Generator<[Module, string]> {
  yield [module, name];
  for (const [child, m] of module.children()) yield* namesOf(m, name ? `${name}.${child}` : child);
}

/**
 * Shapes, parameters and floating-point operations by layer of `model` for an input of `shape`, batch first, in
 * evaluation. Nothing is computed. Its text is a table: `console.log(String(summary(model, [1, 224, 224, 3])))`.
 *
 * @throws ShapeError when the model does not take such an input, naming the layer.
 */
export function summary(model: Module, shape: Shape): Summary {
  check('summary', 'the model', model, instance(Module, 'Module'));
  checkShape('summary', shape);
  const modes = [...namesOf(model, '')].map(([m]) => [m, m.training] as const);
  const trace = new Trace(model);
  try {
    model.eval();
    const output = within({ tracer: trace, observer: trace, noGrad: true }, () =>
      tidy(() => model.call(empty(shape)).shape),
    );
    const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
    const flops = sum(trace.rows.map((l) => l.flops));
    const parameters = sum([...model.parameters().values()].map((p) => numel(p.shape)));
    const whole = { input: shape, output, layers: trace.rows, parameters, flops, macs: flops / 2 };
    return Object.defineProperty(whole, 'toString', { value: () => table(whole) });
  } finally {
    for (const [m, training] of modes) m.training = training;
  }
}

const grouped = (n: number): string => n.toLocaleString('en-US');

function table({ input, output, layers, parameters, flops, macs }: Summary): string {
  const head = ['layer', 'kind', 'output', 'parameters', 'MFLOP'];
  const rows = layers.map((l) => [
    l.name || '(model)',
    l.kind,
    show(l.output),
    l.parameters ? grouped(l.parameters) : '',
    l.flops ? (l.flops / 1e6).toFixed(2) : '',
  ]);
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => r[i].length)));
  const line = (cells: string[]) =>
    cells
      .map((c, i) => (i < 3 ? c.padEnd(widths[i]) : c.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const [giga, unit] = macs >= 1e8 ? [1e9, 'G'] : [1e6, 'M'];
  const work = `${(flops / giga).toFixed(2)} ${unit}FLOP (${(macs / giga).toFixed(2)} ${unit}MAC)`;
  return [
    line(head),
    ...rows.map(line),
    `${show(input)} -> ${show(output)}: ${grouped(parameters)} parameters, ${work}`,
  ].join('\n');
}
