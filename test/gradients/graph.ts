import type { Backend } from '../../src/backend/backend.js';
import { compile } from '../../src/compile/compile.js';
import type { TypedArray } from '../../src/core/dtype.js';
import { Rng } from '../../src/core/rng.js';
import { numel, type Shape, sameShape } from '../../src/core/shape.js';
import { Module } from '../../src/nn/module.js';
import { add, mul } from '../../src/ops/binary.js';
import { sum } from '../../src/ops/reduce.js';
import { reshape } from '../../src/ops/reshape.js';
import { concat, slice } from '../../src/ops/strided.js';
import { FlatParameters } from '../../src/optim/flat.js';
import { backward, noGrad, unreached, zeroGrad } from '../../src/tensor/autograd.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { tidy } from '../../src/tensor/tidy.js';
import { on } from '../support/devices.js';
import { rows, type Use } from './rows.js';

/**
 * What happens to gradients before a call: nothing, so that they add up; they are zeroed; zeroed and their memory
 * spoilt; or forgotten.
 */
export type Before = 'keep' | 'zero' | 'spoil' | 'drop';

/** Everything that a random graph follows from. */
export interface Drawn {
  /** By name: the row under test, and another between its uses. */
  row: string;
  other: string;
  uses: 2 | 3;
  seed: number;
  /** How a node, or one input of a node, is cut off: its values count as constants. */
  cut?: { node: number; input?: number };
  /** Gradients lie in one buffer, as optimizers keep them. */
  flat: boolean;
  /** Leaves for which no gradient is asked: every so many-th. 0: none. */
  frozen: 0 | 2 | 3;
  /** Times that a call goes back through its loss. */
  backwards: 1 | 2;
  history: Before[];
}

/** The loss with its leaves on one backend. */
export class Graph {
  readonly leaves = new Map<string, Tensor>();
  readonly #drawn: Drawn;
  readonly #nodes: Use[];
  readonly #constants = new Map<string, Tensor>();
  /** What cut-off places held when gradients were taken. */
  readonly #held = new Map<string, Tensor>();
  readonly #smooth: boolean;

  /** @param smooth as differences are to be taken of it. */
  constructor(drawn: Drawn, smooth = false) {
    this.#drawn = drawn;
    this.#smooth = smooth;
    const [row, other] = [drawn.row, drawn.other].map((name) => rows[name](new Rng(drawn.seed, name)));
    this.#nodes = [row, other, row, ...(drawn.uses === 3 ? [row] : [])];
    for (const [i, use] of [row, other].entries())
      for (const [name, p] of use.layer?.parameters() ?? []) {
        // not as layers begin: equal weights tie in max()
        this.leaves.set(`${i}.${name}`, p.set(normals(drawn.seed, name, p.size)));
      }
    noGrad(() => tidy(() => void this.loss())); // makes the leaves
    if (drawn.frozen) [...this.leaves.values()].forEach((p, i) => (p.requiresGrad = i % drawn.frozen !== 1));
    if (drawn.flat) new FlatParameters(new Bag(this.leaves));
  }

  /** Leaves that gradients are asked for. */
  get trained(): Map<string, Tensor> {
    return new Map([...this.leaves].filter(([, p]) => p.requiresGrad));
  }

  /**
   * A sum of everything that the nodes make, by fixed random weights. `held`: what is cut off keeps the values it had.
   */
  loss(held = false): Tensor {
    const made: Tensor[] = [];
    let total = sum(mul(this.#leaf([3], 0), this.#leaf([3], 0)));
    this.#nodes.forEach((use, n) => {
      const inputs = use.shapes.map((shape, i) => this.#cut(`${n}.${i}`, held, () => this.#input(n, i, shape, made)));
      const f = (this.#smooth && use.smooth) || use.f;
      const y = this.#cut(`${n}`, held, () => f(...inputs));
      made.push(y);
      total = add(total, sum(mul(y, this.#drawOnce(`${n}`, y.shape))));
    });
    return total;
  }

  /** What input `i` of node `n` is: a leaf that others of this shape are too, or what an earlier node made. */
  #input(n: number, i: number, shape: Shape, made: readonly Tensor[]): Tensor {
    const rng = new Rng(this.#drawn.seed, `input ${n}`, i);
    const from = rng.below(4);
    return from > 1 && made.length > 0
      ? fit(made[rng.below(made.length)], shape)
      : this.#leaf(shape, from === 1 ? 1 : 0);
  }

  #leaf(shape: Shape, which: number): Tensor {
    const key = `${shape}#${which}`;
    const leaf = this.leaves.get(key) ?? parameter(draw(this.#drawn.seed, key, shape));
    this.leaves.set(key, leaf);
    return leaf;
  }

  #drawOnce(key: string, shape: Shape): Tensor {
    const known = this.#constants.get(key) ?? state(draw(this.#drawn.seed, `weights ${key}`, shape));
    this.#constants.set(key, known);
    return known;
  }

  #cut(at: string, held: boolean, make: () => Tensor): Tensor {
    const { cut } = this.#drawn;
    if (!cut || at !== (cut.input === undefined ? `${cut.node}` : `${cut.node}.${cut.input}`)) return make();
    if (held) return this.#held.get(at)!;
    const y = cut.input === undefined ? noGrad(make) : make().detach();
    if (y.backend.kind === 'reference')
      this.#held.set(
        at,
        noGrad(() => state(add(y, 0))),
      );
    return y;
  }
}

/** Leaves as a model has them. */
class Bag extends Module {
  constructor(leaves: ReadonlyMap<string, Tensor>) {
    super();
    Object.assign(this, Object.fromEntries(leaves));
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

function normals(seed: number, key: string, length: number): Float32Array {
  const rng = new Rng(seed, key);
  return Float32Array.from({ length }, () => rng.normal());
}

const draw = (seed: number, key: string, shape: Shape): Tensor => tensor(normals(seed, key, numel(shape)), shape);

/** x as a tensor of another shape: cut off, or repeated with other factors. */
function fit(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const flat = reshape(x, [x.size]);
  const times = Math.ceil(numel(shape) / x.size);
  const long = concat(Array.from({ length: times }, (_, i) => (i ? mul(flat, 1 - 0.3 * i) : flat)));
  return reshape(slice(long, 0, 0, numel(shape)), shape);
}

/** Gradients after every call of the history, by leaf; one that was not reached is 0. */
export async function gradientsOf(
  backend: Backend,
  drawn: Drawn,
  compiled = false,
): Promise<Map<string, TypedArray>[]> {
  const graph = on(backend, () => new Graph(drawn));
  const work = () => {
    const loss = graph.loss();
    for (let i = 0; i < drawn.backwards; i++) backward(loss);
    return loss;
  };
  const call = on(backend, () => (compiled ? compile(work) : () => tidy(work)));
  const after: Map<string, TypedArray>[] = [];
  for (const before of drawn.history) {
    on(backend, () => prepare(graph, before));
    on(backend, call);
    after.push(
      new Map(await Promise.all([...graph.trained].map(async ([name, p]) => [name, await valuesOf(p)] as const))),
    );
  }
  return after;
}

const valuesOf = async (p: Tensor): Promise<TypedArray> =>
  !p.grad || unreached([p]).length > 0 ? new Float64Array(p.size) : p.grad.data();

function prepare({ trained }: Graph, before: Before): void {
  if (before === 'keep') return;
  zeroGrad(trained.values());
  for (const p of trained.values()) {
    if (before === 'drop') p.grad = undefined;
    if (before === 'spoil') p.grad?.set(new Float32Array(p.size).fill(NaN));
  }
}

/** How many times the gradient of the loss there is after every call. */
export const timesAfter = ({ history, backwards }: Drawn): number[] =>
  history.reduce<number[]>((all, before) => [...all, backwards + (before === 'keep' ? (all.at(-1) ?? 0) : 0)], []);

/**
 * Central differences of the loss in double precision at two places of every leaf that is trained, with what `backward`
 * says there.
 */
export async function differencesOf(
  backend: Backend,
  drawn: Drawn,
): Promise<{ name: string; at: number; slope: number }[]> {
  const graph = on(backend, () => new Graph(drawn, true));
  const loss = (held: boolean) => on(backend, () => tidy(() => noGrad(() => graph.loss(held)))).item();
  await loss(false);
  const found: { name: string; at: number; slope: number }[] = [];
  for (const [name, p] of graph.trained) {
    const [rng, values] = [new Rng(drawn.seed, `probe ${name}`), (await p.data()) as Float64Array];
    for (let probe = 0; probe < Math.min(2, p.size); probe++) {
      const at = rng.below(p.size);
      const h = 1e-6 * Math.max(1, Math.abs(values[at]));
      const moved = (by: number) => (p.set(values.map((v, i) => (i === at ? v + by : v))), loss(true));
      found.push({ name, at, slope: ((await moved(h)) - (await moved(-h))) / (2 * h) });
    }
    p.set(values);
  }
  return found;
}
