import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { difference, flatten, pathsOf, structureOf, unflatten } from '../../src/compile/tree.js';
import { ConfigError } from '../../src/core/errors.js';

/** A leaf of its own kind, as tensors are. */
class Leaf {
  constructor(readonly id: number) {}
}

type Any = Leaf | Any[] | { [name: string]: Any };

const leaf = fc.nat().map((id) => new Leaf(id));
const { tree } = fc.letrec<{ tree: Any }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 4 }), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const runs = { numRuns: Math.ceil(200 * Number(TEST_RUNS)) };
declare const TEST_RUNS: string;

/** The same tree, the properties of its objects written in the opposite order, among others that are undefined. */
function rewritten(t: Any): Any {
  if (t instanceof Leaf) return t;
  if (Array.isArray(t)) return t.map(rewritten);
  const turned = Object.entries(t)
    .reverse()
    .map(([name, v]) => [name, rewritten(v)]);
  return Object.fromEntries([['no such name', undefined], ...turned]) as Any;
}

/** The leaves, in any order. */
const leavesIn = (t: Any): Leaf[] => (t instanceof Leaf ? [t] : Object.values(t).flatMap(leavesIn));

/** What lies at a path. */
const at = (root: unknown, path: string): unknown => new Function('root', `return ${path}`)(root);

describe('trees', () => {
  it('come back from their leaves', () => {
    fc.assert(
      fc.property(tree, (t) => {
        const structure = structureOf(t);
        const leaves = flatten(t, structure)!;
        let next = 0;
        expect(unflatten(structure, () => leaves[next++])).toEqual(t);
        expect(next).toBe(leaves.length);
        expect(new Set(leaves)).toEqual(new Set(leavesIn(t)));
      }),
      runs,
    );
  });

  it('have leaves in an order that does not depend on how objects were written', () => {
    fc.assert(
      fc.property(tree, (t) => {
        const structure = structureOf(t);
        expect(structureOf(rewritten(t))).toEqual(structure);
        expect(flatten(rewritten(t), structure)).toEqual(flatten(t, structure));
      }),
      runs,
    );
  });

  it('have paths that lead to the leaves', () => {
    fc.assert(
      fc.property(tree, (t) => {
        const structure = structureOf(t);
        const paths = pathsOf(structure, 'root');
        expect(paths.map((path) => at(t, path))).toEqual(flatten(t, structure));
      }),
      runs,
    );
  });

  it('are flattened by their own structure alone, and differ in words from every other', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const [of, other] = [structureOf(a), structureOf(b)];
        const same = JSON.stringify(of) === JSON.stringify(other);
        expect(flatten(b, of) !== undefined).toBe(same);
        expect(difference(other, of, 'root') === undefined).toBe(same);
      }),
      runs,
    );
  });

  it.each([
    [{ parts: [{ table1: 0 }] }, { parts: [{}] }, 'nothing at inputs.parts[0].table1'],
    [{ a: 0 }, { a: 0, 'b c': 1 }, 'inputs["b c"] besides'],
    [{ a: [{}] }, { a: [] }, 'nothing at inputs.a[0]'],
    [[new Leaf(0)], { 0: new Leaf(0) }, 'an object at inputs in place of a list'],
    [{ a: [new Leaf(0)] }, { a: 0 }, 'a leaf at inputs.a in place of a list'],
    [{ a: 0 }, { a: 0, b: undefined }, undefined],
  ])('%j beside %j: %s', (wanted, got, words) => {
    expect(difference(structureOf(got), structureOf(wanted), 'inputs')).toBe(words);
  });

  it('take a list of numbers for a leaf, other values too, and a hole in a list for one that is undefined', () => {
    const values = { vector: [1, 2, 3], text: 'a', none: null, date: new Date(0), list: [1, undefined], empty: [] };
    expect(pathsOf(structureOf(values), 'x')).toEqual([
      'x.date',
      'x.list[0]',
      'x.list[1]',
      'x.none',
      'x.text',
      'x.vector',
    ]);
    expect(flatten(values, structureOf(values))).toEqual([new Date(0), 1, undefined, null, 'a', [1, 2, 3]]);
  });

  it('are refused where an object holds itself', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(() => structureOf(loop)).toThrow(
      new ConfigError('tree: it must be nested at most 64 deep; got more, or an object that holds itself. Flatten it.'),
    );
  });
});
