import { type VariantTable, variantTables } from '../src/backend/variants.js';
import { ConfigError } from '../src/core/errors.js';
import { checkMirror } from './check.js';
import { openOurs } from './libraries.js';
import { measure } from './measure.js';
import type { Case } from './record.js';
import { benches } from './records/index.js';

type Ours = Awaited<ReturnType<typeof openOurs>>;
type Traits = Ours['backend']['gpu']['traits'];

/** Tables whose variants are measured, by the bench's name of their cases. */
const tableOf: Record<string, string> = {
  matmul: 'matmul',
  'conv2d forward': 'conv2d',
  'conv2d dX': 'conv2d_dx',
  'conv2d dW': 'conv2d_dw',
  InfoNCE: 'info_nce',
};

/**
 * Every variant of a table on the cases of its operation whose names contain one of the words: its result beside the
 * mirror's, then its time, as the table's choice had named it. A line is printed as soon as it is measured; the variant
 * that the table chooses has a star.
 */
export async function measureVariants(words: readonly string[], version: string, minutes: number): Promise<void> {
  const end = performance.now() + 60_000 * minutes;
  const ours = await openOurs(version);
  const full = !ours.backend.gpu.software;
  const cases = benches.flatMap(({ name, cases }) =>
    variantTables
      .filter((table) => table.name === tableOf[name])
      .flatMap((table) => cases(full).map((c) => ({ table, c, label: `${name}, ${c.label}` }))),
  );
  const wanted = cases.filter(({ label }) => words.length === 0 || words.some((word) => label.includes(word)));
  if (wanted.length === 0)
    throw new ConfigError(
      `bench: --variants must be of ${Object.keys(tableOf).join(', ')}; got ${words.join(', ')}. Name one, or none.`,
    );
  for (const { table, c, label } of wanted) {
    if (performance.now() > end) break;
    console.log(`${label}: ${(await oneCase(ours, table, c)).join(', ')}`);
  }
}

async function oneCase(ours: Ours, table: VariantTable<never>, c: Case): Promise<string[]> {
  const traits = ours.backend.gpu.traits as { -readonly [K in keyof Traits]: Traits[K] };
  const { tuned } = traits;
  const { variants } = table;
  const ran: string[] = [];
  table.variants = variants.map((v) => ({ ...v, launch: (p, t) => (ran.push(v.name), v.launch(p, t)) }));
  const told: string[] = [];
  try {
    const work = c.ours();
    ours.run(work);
    const chosen = ran.at(-1);
    for (const { name } of variants) {
      traits.tuned = new Proxy({}, { get: (_, key) => (String(key).startsWith(`${table.name} `) ? name : undefined) });
      const result = await oneVariant(ours, work, c, () => ran.at(-1) === name);
      if (result) told.push(`${name}${name === chosen ? '*' : ''} ${result}`);
    }
  } catch (e) {
    told.push(String((e as Error).message).split('\n')[0]);
  } finally {
    table.variants = variants;
    traits.tuned = tuned;
  }
  return told;
}

/** Milliseconds and TFLOP/s, or what is wrong; nothing where another variant computes it. */
async function oneVariant(ours: Ours, work: ReturnType<Case['ours']>, c: Case, serves: () => boolean) {
  try {
    ours.run(work);
    await ours.submit();
    await ours.done();
    if (!serves()) return undefined;
    await checkMirror(ours.backend, c);
    const [{ ms }] = await measure([{ library: ours, work }], 60);
    return `${ms.toFixed(3)} ms${c.flops ? ` ${(c.flops / ms / 1e9).toPrecision(3)}` : ''}`;
  } catch (e) {
    return String((e as Error).message)
      .split('\n')[0]
      .slice(0, 100);
  }
}
