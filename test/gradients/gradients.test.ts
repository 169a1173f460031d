import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import { gpu, reference64 } from '../support/devices.js';
import { assertClose } from '../support/op.js';
import { type Before, type Drawn, differencesOf, gradientsOf, timesAfter } from './graph.js';
import { rows, without } from './rows.js';

const names = Object.keys(rows);
const before = fc.constantFrom<Before>('keep', 'zero', 'spoil', 'drop');

/**
 * Graphs that use `row` two or three times; one call more than a compiled function needs to be trusted and replayed.
 */
const graphs = (row: string): fc.Arbitrary<Drawn> =>
  fc
    .record({
      row: fc.constant(row),
      other: fc.constantFrom(...names),
      uses: fc.constantFrom<2 | 3>(2, 3),
      seed: fc.nat(0xffff),
      cut: fc.option(fc.record({ node: fc.nat(3), input: fc.option(fc.nat(1), { nil: undefined }) }), {
        nil: undefined,
        freq: 1,
      }),
      flat: fc.boolean(),
      frozen: fc.constantFrom<0 | 2 | 3>(0, 2, 3),
      backwards: fc.constantFrom<1 | 2>(1, 1, 2),
      history: fc.array(before, { minLength: 5, maxLength: 5 }),
    })
    .map((drawn) => ({
      ...drawn,
      history: drawn.flat ? drawn.history.map((b) => (b === 'drop' ? 'zero' : b)) : drawn.history,
    }));

/** Graphs with a rounding to f16 differ from the smooth ones by it. */
const tolerance = ({ row, other }: Drawn) => ([row, other].includes('cast') ? 2e-2 : 1e-5);

async function check(drawn: Drawn): Promise<void> {
  const device = await gpu();
  const times = timesAfter(drawn);
  const exact = await gradientsOf(reference64, drawn);
  const scale = Math.max(1, ...[...exact[0].values()].flatMap((g) => Array.from(g, Math.abs))) / times[0];
  for (const { name, at, slope } of await differencesOf(reference64, drawn)) {
    const got = exact[0].get(name)![at] / times[0];
    if (!(Math.abs(got - slope) <= tolerance(drawn) * scale))
      throw new Error(`${name}[${at}]: central difference ${slope}, backward ${got}`);
  }
  const [eager, compiled] = [await gradientsOf(device, drawn), await gradientsOf(device, drawn, true)];
  times.forEach((n, call) => {
    for (const [name, g] of exact[call]) {
      const what = `call ${call}, ${name}`;
      assertClose(
        `mirror: ${what}`,
        g,
        exact[0].get(name)!.map((v) => (v * n) / times[0]),
        { relative: 1e-9, absolute: 1e-9 * scale },
      );
      assertClose(what, eager[call].get(name)!, g, { relative: 1e-4, absolute: 1e-4 * n * scale });
      expect(compiled[call].get(name), `compiled: ${what}`).toEqual(eager[call].get(name));
    }
  });
}

describe('gradients where tensors, parameters and layers are used several times', () => {
  it.each(names)(
    '%s: backward = central differences, GPU = mirror, compiled = eager, whatever gradients there were',
    async (row) => {
      await fc.assert(fc.asyncProperty(graphs(row), check), { numRuns: 2 });
    },
  );

  it('every exported operation and layer has a row, or a reason for none', () => {
    const engine = readFileSync(join(import.meta.dirname, '../../src/engine.ts'), 'utf8');
    const lists = [...engine.matchAll(/export \{([^}]*)\} from '\.\/ops\//g)].flatMap(([, list]) => list.split(','));
    const ops = lists.map((name) => name.trim()).filter((name) => name && !name.startsWith('type '));
    const isLayer = (v: unknown) => typeof v === 'function' && v.prototype instanceof library.Module;
    const layers = Object.entries(library)
      .filter(([, v]) => isLayer(v))
      .map(([name]) => name);
    const listed = [...names, ...Object.keys(without)];
    const missing = [...ops, ...layers].filter((name) => !listed.includes(name));
    expect(missing, 'give each a row in test/gradients/rows.ts, or a reason in `without`').toEqual([]);
    expect(listed.filter((name) => ![...ops, ...layers].includes(name))).toEqual([]);
  });
});
