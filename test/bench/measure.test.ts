import { describe, expect, it } from 'vitest';
import { checkMirror, differs } from '../../bench/check.js';
import { quantile } from '../../bench/measure.js';
import { benches } from '../../bench/records/index.js';
import { growthTable } from '../../bench/scale.js';
import { compare, shortfall } from '../../bench/table.js';
import { gpu } from '../support/devices.js';

describe('bench', () => {
  it.each(benches.filter((b) => !/step/.test(b.name)).map((b) => [b.name, b] as const))(
    '%s: the first case agrees with its mirror',
    async (_, bench) => {
      await checkMirror(await gpu(), bench.cases(false)[0]);
    },
  );

  it('takes the middle and the quartiles of the samples', () =>
    expect([0.25, 0.5, 0.75].map((q) => quantile([9, 1, 5, 3], q))).toEqual([2.5, 4, 6]));

  it('tells other results from the same in another order', () => {
    const [a, b] = [Float32Array.of(1, 2, 3), Float32Array.of(3, 1, 2)];
    expect(differs([a], [b])).toBeUndefined();
    expect(differs([a], [Float32Array.of(3, 1, 2.5)])).toMatch(/sum/);
    expect(differs([a], [Float32Array.of(3, 1)])).toMatch(/2 values, ours 3/);
  });

  it('tells how time grows from row to row', () => {
    const points = [
      [10, 2],
      [20, 5],
      [40, 10],
    ] as const;
    expect(growthTable('batch', points)).toEqual([
      '| batch | ms | growth |',
      '| --: | --: | --: |',
      '| 10 | 2.00 | – |',
      '| 20 | 5.00 | 2.50 |',
      '| 40 | 10.00 | 2.00 |',
    ]);
    expect(growthTable('dispatches', points, 'dispatch')[4]).toBe('| 40 | 10.00 | 2.00 | 250.00 |');
  });

  it('names what falls short of its goal', () => {
    const timing = (ms: number) => ({ ms, low: ms, high: 1.1 * ms, samples: 3 });
    const row = { op: 'x', label: '', ...timing(1), notes: [], goal: { tfjs: 2 } };
    const ratio = (ms: number) => compare(timing(1), timing(ms));
    expect(shortfall({ ...row, tfjs: ratio(3), jax: ratio(1.5) })).toEqual([]);
    expect(shortfall({ ...row, tfjs: ratio(1.5), jax: ratio(0.5) })).toHaveLength(2);
    expect(ratio(3)).toMatchObject({ ratio: 3, low: 3 / 1.1, samples: 3 });
  });
});
