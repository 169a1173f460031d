import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { compile } from '../../src/compile/compile.js';
import type { TypedArray } from '../../src/core/dtype.js';
import { ConfigError } from '../../src/core/errors.js';
import { Rng } from '../../src/core/rng.js';
import { numel } from '../../src/core/shape.js';
import { Linear, mul, SGD, sum } from '../../src/index.js';
import { accumulate } from '../../src/tensor/accumulate.js';
import { backward, noGrad, zeroGrad } from '../../src/tensor/autograd.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { rows } from './rows.js';

const squares = (y: Tensor) => sum(mul(y, y));
const stale =
  /^backward: what the gradient of \w+ reads must be as in the forward pass; got one written since: Tensor \[/;
const normals = (rng: Rng, length: number) => Float32Array.from({ length }, () => rng.normal());

/** One use of an op or layer, on leaves of its own. */
class Case {
  readonly leaves: Tensor[];
  readonly #values: Float32Array[];
  readonly #f: () => Tensor;
  readonly #weights: Tensor;

  constructor(name: string, seed: number) {
    const use = rows[name](new Rng(seed, name));
    const rng = new Rng(seed, 'leaves');
    const inputs = use.shapes.map((shape) => parameter(tensor(normals(rng, numel(shape)), shape)));
    this.leaves = [...inputs, ...(use.layer?.parameters().values() ?? [])];
    this.#values = this.leaves.map((x) => normals(rng, x.size));
    this.#f = () => use.f(...inputs);
    this.#reset();
    const { shape } = noGrad(this.#f);
    this.#weights = state(tensor(normals(rng, numel(shape)), shape));
  }

  #reset(): void {
    this.leaves.forEach((x, i) => void x.set(this.#values[i]));
    zeroGrad(this.leaves);
  }

  /** The gradients, where `meddle` is done between the passes; undefined if `backward` refuses. */
  async gradients(meddle: (y: Tensor) => void): Promise<TypedArray[] | undefined> {
    this.#reset();
    const y = this.#f();
    const loss = sum(mul(y, this.#weights));
    meddle(y);
    try {
      backward(loss);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as Error).message).toMatch(stale);
      return undefined;
    }
    return Promise.all(this.leaves.map(async (x) => (x.grad ? (await x.grad.data()).slice() : new Float32Array())));
  }
}

/** How many of the writes that could spoil a gradient were refused; each other one must leave all gradients alone. */
async function refusals(device: Backend, name: string): Promise<number> {
  const drawn = on(device, () => new Case(name, 7));
  const run = (meddle: (y: Tensor) => void) => on(device, () => drawn.gradients(meddle));
  const clean = await run(() => {});
  if (!clean) throw new Error(`${name}: refused where nothing was written`);
  const spoil = (x: Tensor) => x.set(normals(new Rng(9, name), x.size));
  let refused = 0;
  for (const target of [...drawn.leaves.keys(), -1]) {
    const got = await run((y) => spoil(target < 0 ? y : drawn.leaves[target]));
    if (got) expect(got, `${name}, written: ${target}`).toEqual(clean);
    else refused++;
  }
  return refused;
}

describe('what is written between forward and backward', () => {
  it.each(Object.keys(rows))('%s: the gradient is that of the forward pass, or refused', async (name) => {
    const refused = await refusals(reference64, name);
    expect(await refusals(await gpu(), name)).toBe(refused);
  });

  it.each(['mul', 'matmul', 'conv2d', 'relu', 'softmax', 'Linear'])('%s reads what it was given', async (name) => {
    expect(await refusals(reference64, name)).toBeGreaterThan(0);
  });

  it('accumulate and an optimizer step count as writes, whole and in part, compiled too', async () => {
    const device = await gpu();
    on(device, () => {
      const [model, x] = [new Linear(3, 2), tensor([[1, 2, 3]])];
      const lossOf = () => squares(model.call(parameter(x)));
      const optimizer = new SGD(model, { lr: 0.1 });
      const train = compile(() => {
        optimizer.zeroGrad();
        backward(lossOf());
        optimizer.step();
      });
      const writes = [
        () => void accumulate(model.weight, state(tensor([[1, 1, 1], [1, 1, 1]]))),
        () => optimizer.step(),
        train,
        train,
        train, // replayed by now
      ]; // biome-ignore format: one a line
      backward(lossOf());
      for (const write of writes) {
        const loss = lossOf();
        write();
        expect(() => backward(loss)).toThrow(stale);
      }
    });
  });

  it('a result of a compiled function is written by its next call', async () => {
    on(await gpu(), () => {
      const [w, double] = [parameter(tensor([1, 2])), compile((x: Tensor) => mul(x, 2))];
      const call = () => double(tensor([3, 4]));
      call();
      call();
      const loss = sum(mul(w, call()));
      call();
      expect(() => backward(loss)).toThrow(stale);
    });
  });

  it('what moves into an optimizer keeps its values', async () => {
    on(await gpu(), () => {
      const model = new Linear(3, 2);
      const loss = squares(model.call(parameter(tensor([[1, 2, 3]]))));
      new SGD(model, { lr: 0.1 });
      backward(loss);
    });
  });
});
