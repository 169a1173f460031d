/**
 * What a test file imports from `vitest` when it runs in a page: the same matchers (from `@vitest/expect`)
 * and a runner of 100 lines. The bundle in `run.mjs` puts it in vitest's place.
 */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = chai.expect;

type Body = (...args: never[]) => unknown;
type Hook = () => unknown;

interface Suite {
  name: string;
  beforeAll: Hook[];
  beforeEach: Hook[];
  afterAll: Hook[];
  afterEach: Hook[];
  children: (Suite | Test)[];
}

interface Test {
  name: string;
  run: Hook;
  timeout: number;
}

export interface Result {
  name: string;
  /** Why it failed; undefined when it passed. */
  error?: string;
  ms: number;
}

const suite = (name: string): Suite => ({
  name,
  beforeAll: [],
  beforeEach: [],
  afterAll: [],
  afterEach: [],
  children: [],
});
let current = suite('');

/** Milliseconds that a test may take, by the machine's speed. */
declare const TEST_LIMIT: number;

export const beforeAll = (hook: Hook): void => void current.beforeAll.push(hook);
export const beforeEach = (hook: Hook): void => void current.beforeEach.push(hook);
export const afterAll = (hook: Hook): void => void current.afterAll.push(hook);
export const afterEach = (hook: Hook): void => void current.afterEach.push(hook);

function addTest(name: string, body: Body, timeout = typeof TEST_LIMIT === 'undefined' ? 180_000 : TEST_LIMIT): void {
  current.children.push({ name, run: body as Hook, timeout });
}

function addSuite(name: string, body: Hook): void {
  const outer = current;
  outer.children.push((current = suite(name)));
  body();
  current = outer;
}

/** `each` of a table: rows that are arrays are spread, and `%s` and its like are filled in from the row. */
function each<B extends Body>(add: (name: string, body: B, timeout?: number) => void) {
  return (table: readonly unknown[]) => (name: string, body: (...row: never[]) => unknown, timeout?: number) => {
    for (const entry of table) {
      const row = Array.isArray(entry) ? entry : [entry];
      let used = 0;
      const title = name.replace(/%[sdifjo]/g, (mark) =>
        mark === '%j' || mark === '%o' ? JSON.stringify(row[used++]) : String(row[used++]),
      );
      add(title, (() => body(...(row as never[]))) as unknown as B, timeout);
    }
  };
}

const skip = (): void => {};
const skipped = Object.assign(skip, { each: () => skip });
type Adder<B> = ((name: string, body: B, timeout?: number) => void) &
  Record<'each' | 'skip' | 'skipIf' | 'runIf' | 'todo' | 'only', never>;

function withVariants<B extends Body>(add: (name: string, body: B, timeout?: number) => void) {
  const all = Object.assign(add, { each: each(add), skip: skipped, todo: skip });
  return Object.assign(all, {
    only: all,
    skipIf: (no: unknown) => (no ? skipped : all),
    runIf: (yes: unknown) => (yes ? all : skipped),
  });
}

export const it = withVariants(addTest) as unknown as Adder<Body>;
export const test = it;
export const describe = withVariants(addSuite as (name: string, body: Body) => void) as unknown as Adder<Body>;

/** Collects a file: what it declares while `load` runs becomes the suite `name`. */
export async function file(name: string, load: () => Promise<unknown>): Promise<Suite> {
  const collected = (current = suite(name));
  try {
    await load();
  } catch (e) {
    collected.children = [{ name: 'can be loaded', timeout: 1000, run: () => Promise.reject(e) }];
  }
  return collected;
}

/** Runs a suite in order and reports each test as it ends. */
export async function run(
  s: Suite,
  report: (result: Result) => unknown,
  path: string[] = [],
  hooks: Suite[] = [],
): Promise<void> {
  const here = s.name ? [...path, s.name] : path;
  const around = [...hooks, s];
  const broken = await attempt(async () => {
    for (const hook of s.beforeAll) await hook();
  });
  for (const child of s.children) {
    if ('children' in child) await run(child, report, here, around);
    else await report(await runTest(child, here, around, broken));
  }
  const untidy = await attempt(async () => {
    for (const hook of s.afterAll) await hook();
  });
  if (untidy) await report({ name: [...here, 'afterAll'].join(' > '), error: untidy, ms: 0 });
}

async function runTest(t: Test, path: string[], around: Suite[], broken: string | undefined): Promise<Result> {
  const from = performance.now();
  const error =
    broken ??
    (await attempt(async () => {
      for (const s of around) for (const hook of s.beforeEach) await hook();
      await Promise.race([t.run(), late(t.timeout)]);
      for (const s of [...around].reverse()) for (const hook of s.afterEach) await hook();
    }));
  return { name: [...path, t.name].join(' > '), error, ms: performance.now() - from };
}

const late = (ms: number): Promise<never> =>
  new Promise((_, reject) => setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms));

/** Why `body` failed, or undefined when it did not. */
async function attempt(body: () => Promise<void>): Promise<string | undefined> {
  try {
    await body();
    return undefined;
  } catch (e) {
    return describeError(e);
  }
}

/** Message and stack, and those of what caused it: fast-check keeps the failed assertion there. */
function describeError(e: unknown): string {
  if (!(e instanceof Error)) return String(e);
  const text = e.stack?.includes(e.message) ? e.stack : `${e.name}: ${e.message}\n${e.stack ?? ''}`;
  return e.cause ? `${text}\nbecause of ${describeError(e.cause)}` : text;
}
