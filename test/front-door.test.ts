import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../src/backend/backend.js';
import { ReferenceBackend } from '../src/backend/reference.js';
import * as engineEntry from '../src/engine.js';
import * as mainEntry from '../src/index.js';
import * as nodeEntry from '../src/node.js';
import * as mirrorEntry from '../src/reference/entry.js';
import * as mirrors from '../src/reference/index.js';
import { on, reference } from './support/devices.js';
import { fault, holdsNaN, outcome, type Row } from './support/front-door.js';
import { engine } from './support/front-door-engine.js';
import { inNode, library } from './support/front-door-library.js';

const { ones, tensor } = mainEntry;
const mirror = (call: (...args: any[]) => unknown): Row => ({
  call,
  args: () => [Array.from({ length: 9 }, () => new Float32Array(64)), undefined],
  needed: 1,
  slow: true,
  wrong: () => [[], [[new Float32Array(1)], {}], [[[1], [2]], {}], [5, 5]],
});
const mirrorRows = Object.fromEntries(Object.entries(mirrorEntry).map(([name, f]) => [name, mirror(f)]));

/**
 * Functions that an entry exports: classes with their methods, and functions held by objects, but for those of `Module`
 * in every layer.
 */
function functionsOf(entry: Record<string, unknown>): string[] {
  return Object.entries(entry).flatMap(([name, v]) => {
    if (typeof v !== 'function')
      return Object(v) === v && !Array.isArray(v)
        ? Object.entries(v as object).flatMap(([key, f]) => (typeof f === 'function' ? [`${name}.${key}`] : []))
        : [];
    const own =
      v.prototype && /^class\b/.test(Function.prototype.toString.call(v))
        ? Object.getOwnPropertyDescriptors(v.prototype)
        : {};
    return [
      name,
      ...Object.entries(own).flatMap(([key, d]) =>
        key === 'constructor'
          ? []
          : typeof d.value === 'function'
            ? [`${name}#${key}`]
            : d.set
              ? [`${name}#${key}=`]
              : [],
      ),
    ];
  });
}

const entries: [string, Record<string, unknown>, Record<string, Row>][] = [
  ['engine', engineEntry, { ...engine, ...library }],
  ['index', mainEntry, { ...engine, ...library }],
  ['node', nodeEntry, inNode],
  ['reference', mirrorEntry, mirrorRows],
];

let folder: string;
const home = process.cwd();
const before = useBackend(undefined);
beforeAll(() => process.chdir((folder = mkdtempSync(join(tmpdir(), 'front-door-')))));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
  useBackend(before);
});

const never = (): unknown[] => [Symbol('junk'), new Date(0)];
const finished = () => {
  let gone!: mainEntry.Tensor;
  mainEntry.tidy(() => void (gone = ones([2])));
  return gone;
};
/** Whatever a caller without types may pass. */
const junk = (): unknown[] => [
  undefined,
  null,
  NaN,
  -1,
  0,
  0.5,
  7,
  1e12,
  Infinity,
  10n,
  '',
  'float32',
  true,
  [],
  [1, 2],
  [[1]],
  ['a'],
  [undefined],
  {},
  { typo: 1 },
  () => undefined,
  new Map(),
  new Float32Array(1),
  new Uint8Array(2),
  new BigInt64Array(1),
  ones([3]),
  tensor([0, 0], [2], 'u32'),
  finished(),
  Object.create(null),
  on(new ReferenceBackend(), () => ones([2, 3])),
  ...never(),
];

const replaced = (args: readonly unknown[], i: number, by: unknown) => args.map((a, j) => (j === i ? by : a));
const isOptions = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && Object.getPrototypeOf(v) === Object.prototype;

/**
 * Calls that must be refused: those of the row, junk in place of an argument, nothing in place of one that is needed,
 * and an option of no known name.
 */
function refused({ args, needed, free = [], wrong }: Row): unknown[][] {
  const right = args();
  const places = right.map((_, i) => i).filter((i) => !free.includes(i) && right[i] !== undefined);
  return [
    ...(wrong?.() ?? []),
    ...places.flatMap((i) =>
      [...never(), ...(i < (needed ?? right.length) ? [undefined] : [])].map((v) => replaced(args(), i, v)),
    ),
  ];
}

/** The right call with anything in place of an argument or of an option. */
function fuzzed({ args }: Row): unknown[][] {
  const right = args();
  return right.flatMap((a, i) => [
    ...junk().map((v) => replaced(args(), i, v)),
    ...(isOptions(a)
      ? Object.keys(a).flatMap((key) => junk().map((v) => replaced(args(), i, { ...(args()[i] as object), [key]: v })))
      : []),
  ]);
}

const notFinite = (args: readonly unknown[]): boolean =>
  args.some((a) => Number.isNaN(a) || a === Infinity || (isOptions(a) && notFinite(Object.values(a))));

describe.each(entries)('every function of the entry %s', (_, entry, rows) => {
  it('has a row that says how it is called', () => {
    const ofModels = (name: string) => name.startsWith('models.'); // as buildModel
    const missing = functionsOf(entry).filter((name) => !rows[name] && !ofModels(name));
    expect(missing, 'give each a row in test/support/front-door-{engine,library}.ts (methods get theirs)').toEqual([]);
  });
});

const all = {
  ...engine,
  ...library,
  ...inNode,
  ...Object.fromEntries(Object.entries(mirrorRows).map(([name, row]) => [`reference ${name}`, row])),
};

describe('the front door', () => {
  it.each(Object.entries(all))('%s refuses what it cannot take, in a sentence', async (_, row) => {
    useBackend(reference);
    const wrong = [];
    for (const args of refused(row)) {
      const o = await outcome(row.call, args);
      const said = 'error' in o ? fault(o, true) : 'is accepted';
      if (said) wrong.push(`${shown(args)} ${said}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(all).filter(([, row]) => !row.slow && row.args !== undefined))(
    '%s of anything throws no other error and makes no NaN',
    async (_, row) => {
      useBackend(reference);
      const wrong = [];
      for (const args of fuzzed(row)) {
        const o = await outcome(row.call, args);
        const said =
          fault(o) ?? ('value' in o && !notFinite(args) && (await holdsNaN(o.value)) ? 'makes a NaN' : undefined);
        if (said) wrong.push(`${shown(args)} ${said}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it('the entry of mirrors has them all', () => {
    const missing = Object.keys(mirrors).filter((name) => !(name in mirrorEntry));
    expect(missing, 'give each a line in src/reference/entry.ts: its buffers and params').toEqual([]);
    expect(Object.keys(mirrorEntry).filter((name) => !(name in mirrors))).toEqual([]);
  });
});

const shown = (args: readonly unknown[]): string =>
  `(${args
    .map((a) =>
      isOptions(a)
        ? `{${Object.entries(a)
            .map(([k, v]) => `${k}: ${brief(v)}`)
            .join(', ')}}`
        : brief(a),
    )
    .join(', ')})`;
function brief(v: unknown): string {
  try {
    return typeof v === 'object' && v !== null ? (v.constructor?.name ?? 'null object') : String(v).slice(0, 30);
  } catch {
    return typeof v;
  }
}
