import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { context, within } from '../../src/backend/context.js';
import { withPrecision } from '../../src/ops/precision.js';
import { noGrad } from '../../src/tensor/autograd.js';
import { tidy } from '../../src/tensor/tidy.js';

const root = join(import.meta.dirname, '../../src');

/** What the process has once, whatever runs: why each is no part of the context. */
const exceptions = {
  'let users': 'sharp is warned of once a process',
  'let threads': 'sharp has one pool of threads a process',
  'let found': 'the software adapter is unpacked once a process',
  'let written': 'temporary files are numbered in a process',
};

describe('the context', () => {
  it('is put back in order, also by what throws', () => {
    const before = { ...context };
    const seen = () => [context.precision, context.noGrad, context.scope !== undefined];
    const all = withPrecision('f16', () =>
      noGrad(() => [seen(), tidy(seen), within({ precision: 'f32' }, seen), seen()]),
    );
    expect(all).toEqual([
      ['f16', true, false],
      ['f16', true, true],
      ['f32', true, false],
      ['f16', true, false],
    ]);
    const failing = () =>
      tidy(() =>
        noGrad(() => {
          throw new Error('inside');
        }),
      );
    expect(failing).toThrow('inside');
    expect({ ...context }).toEqual({ ...before, precision: undefined, noGrad: undefined, scope: undefined });
  });

  it('is all the ambient state there is', () => {
    const files = (readdirSync(root, { recursive: true }) as string[]).filter((f) => f.endsWith('.ts'));
    const found = files.flatMap(
      (f) => readFileSync(join(root, f), 'utf8').match(/^(export )?let \w+|new Weak(Map|Set)/gm) ?? [],
    );
    expect(found.sort()).toEqual(Object.keys(exceptions).sort());
  });
});
