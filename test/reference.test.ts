import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useBackend } from '../src/backend/backend.js';
import { device } from '../src/backend/device.js';
import { ReferenceBackend } from '../src/backend/reference.js';
import { mirrors } from '../src/reference/mirrors.js';

const src = join(import.meta.dirname, '../src');
const sources = (readdirSync(src, { recursive: true }) as string[])
  .filter((f) => f.endsWith('.ts'))
  .map((f) => readFileSync(join(src, f), 'utf8'));
const primitives = sources.flatMap((text) =>
  [...text.matchAll(/: Primitive<.*> = \{\s*(?:name: '(\w+)',)?/g)].map((m) => m[1]),
);

describe('mirrors', () => {
  it('there is one for every primitive of the library, and no other', () => {
    expect(primitives.length).toBeGreaterThan(40);
    expect(Object.keys(mirrors).sort()).toEqual([...primitives].sort());
  });

  it('a primitive without one is named in the error, and may bring its own', async () => {
    const on = new ReferenceBackend();
    const x = on.alloc('f32', 2);
    const twice = { name: 'twice', gpu: () => ({ scratch: [], launches: [] }) };
    expect(() => on.run(twice, [x], {})).toThrow(
      'twice: the reference backend computes a primitive by its mirror; got none. Give it one, ' +
        'or open a GPU with device().',
    );
    on.write(x, Float32Array.of(1, 2));
    on.run({ ...twice, mirror: ([values]) => values.forEach((v, i) => (values[i] = 2 * v)) }, [x], {});
    expect(await on.read(x)).toEqual(Float32Array.of(2, 4));
  });

  it('come with the reference backend', async () => {
    const before = useBackend(undefined);
    expect(await device({ backend: 'reference' })).toBeInstanceOf(ReferenceBackend);
    useBackend(before);
  });
});
