import { describe, expect, it } from 'vitest';
import { checkMirror, differs } from '../../bench/check.js';
import { median } from '../../bench/measure.js';
import { benches } from '../../bench/records/index.js';
import { shortfall } from '../../bench/table.js';
import { gpu } from '../support/devices.js';

describe('bench', () => {
  it.each(benches.filter((b) => !/step/.test(b.name)).map((b) => [b.name, b] as const))('%s: the first case agrees with its mirror', async (_, bench) => {
    await checkMirror(await gpu(), bench.cases(false)[0]);
  });

  it('takes the middle of the samples', () => expect(median([9, 1, 5])).toBe(5));

  it('tells other results from the same in another order', () => {
    const [a, b] = [Float32Array.of(1, 2, 3), Float32Array.of(3, 1, 2)];
    expect(differs([a], [b])).toBeUndefined();
    expect(differs([a], [Float32Array.of(3, 1, 2.5)])).toMatch(/sum/);
    expect(differs([a], [Float32Array.of(3, 1)])).toMatch(/2 values, ours 3/);
  });

  it('names what falls short of its goal', () => {
    const row = { op: 'x', label: '', ms: 1, samples: 1, notes: [], goal: { tfjs: 2 } };
    expect(shortfall({ ...row, tfjs: 3, jax: 1.5 })).toEqual([]);
    expect(shortfall({ ...row, tfjs: 1.5, jax: 0.5 })).toHaveLength(2);
  });
});
