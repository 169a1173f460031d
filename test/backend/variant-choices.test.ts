import { join } from 'node:path';
import { expect, it } from 'vitest';
import { variantTables } from '../../src/backend/variants.js';
import '../../src/engine.js';
import { choicesOf, problems } from '../support/choices.js';

/** Every table's choices on adapters of all kinds. A line that differs is another kernel: other bits, another speed. */
it('the same variants and launches are chosen as before', async () => {
  expect(variantTables.map(({ name }) => name).sort()).toEqual(Object.keys(problems).sort());
  const tables = Object.keys(problems).map((name) => variantTables.find((table) => table.name === name)!);
  await expect(`${tables.map(choicesOf).join('\n\n')}\n`).toMatchFileSnapshot(
    join(import.meta.dirname, 'variant-choices.txt'),
  );
});
