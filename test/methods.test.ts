import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { useBackend } from '../src/backend/backend.js';
import * as lib from '../src/index.js';
import { methods } from '../src/ops/methods.js';
import { reference } from './support/devices.js';
import { engine } from './support/front-door-engine.js';

const { ones, parameter, tensor, Tensor } = lib;
let before: lib.Backend | undefined;
beforeAll(() => void (before = useBackend(reference)));
afterAll(() => void useBackend(before));

/** What the engine exports of its operations and has no method for. */
const functionsAlone: Record<string, string> = {
  concat: 'takes a list of tensors',
  attentionUnfused: 'is what attention is compared with',
  ...Object.fromEntries(
    ['sgd', 'lars', 'adamw', 'ema', 'lossScale', 'restore'].map((name) => [name, 'writes where an optimizer says']),
  ),
  queueWrite: 'writes into a queue',
  bankWrite: 'writes into a bank',
  larsTable: 'takes places, and makes a table',
  augment: 'is of pictures',
  normalizePictures: 'is of pictures',
  sampleAugmentation: 'takes a recipe',
  withPrecision: 'takes a function',
  selfCheck: 'takes a backend',
};

const exported = [
  ...readFileSync(join(import.meta.dirname, '../src/engine.ts'), 'utf8').matchAll(
    /^export \{([^}]*)\} from '\.\/ops\//gm,
  ),
]
  .flatMap(([, names]) => names.split(',').map((n) => n.trim()))
  .filter((n) => typeof (lib as Record<string, unknown>)[n] === 'function');

const call = (x: lib.Tensor, name: string, rest: unknown[]) =>
  (x as unknown as Record<string, (...rest: unknown[]) => unknown>)[name](...rest);

/** The shape, type and values of what an operation returns. */
async function seen(result: unknown): Promise<unknown> {
  const made = await result;
  if (!(made instanceof Tensor))
    return Promise.all(Object.entries(Object(made)).map(async ([key, v]) => [key, await seen(v)]));
  return [made.shape, made.dtype, ...(await made.data())];
}

describe('methods', () => {
  it('every operation has one, or a reason', () => {
    expect(exported.length).toBeGreaterThan(50);
    const undecided = exported.filter((name) => name in methods === name in functionsAlone);
    expect(undecided, 'list each in src/ops/methods.ts, or why not in functionsAlone above').toEqual([]);
    expect(Object.keys(methods).filter((name) => !exported.includes(name))).toEqual(['backward']); // of autograd
    expect(Object.keys(functionsAlone).filter((name) => !exported.includes(name))).toEqual([]);
  });

  it.each(Object.keys(methods).filter((name) => !['backward', 'where', 'globalAvgPool'].includes(name)))(
    'x.%s(…) is the function',
    async (name) => {
      expect(engine, 'give it a row in test/support/front-door-engine.ts').toHaveProperty(name);
      const { call: f, args } = engine[name];
      const [x, ...rest] = args() as [lib.Tensor, ...unknown[]];
      expect(await seen(call(x, name, rest))).toEqual(await seen(f(...args())));
    },
  );

  it('x.globalAvgPool(), x.where(condition, other) and loss.backward(seed)', async () => {
    const x = tensor([1, 2, 3, 4], [1, 2, 2, 1]);
    expect([...(await x.globalAvgPool().data())]).toEqual([2.5]);
    expect([...(await x.where(x.greater(2), x.neg()).data())]).toEqual([-1, -2, 3, 4]);
    const w = parameter(tensor([2, 3]));
    w.mul(w).sum().backward(tensor(10));
    expect([...(await w.grad!.data())]).toEqual([40, 60]);
  });

  it('chain, and the compiler knows them', async () => {
    const y = tensor([
      [1, -2],
      [3, -4],
    ])
      .mul(2)
      .add(1)
      .relu()
      .sum(0);
    expect([...(await y.data())]).toEqual([10, 0]);
    expectTypeOf(y.add).parameters.toEqualTypeOf<[b: lib.Tensor | number]>();
    expectTypeOf(y.mean).parameters.toEqualTypeOf<Parameters<typeof lib.mean> extends [any, ...infer R] ? R : never>();
    expectTypeOf(y.mask(y)).toEqualTypeOf<Promise<lib.Tensor>>();
    // @ts-expect-error a string is no operand
    expect(() => ones([2]).add('a')).toThrow('add: operands must be tensors or numbers');
  });

  it('are not listed among the fields of a tensor', () => {
    const listed: string[] = [];
    for (const key in ones([1])) listed.push(key);
    expect(listed.filter((key) => key in methods)).toEqual([]);
  });
});
