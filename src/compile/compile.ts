import { type Backend, backend, type Difference, type DispatchRecord, type Recorded } from '../backend/backend.js';
import { within } from '../backend/context.js';
import type { GpuBackend } from '../backend/gpu.js';
import { canRecord, startRecording } from '../backend/record.js';
import { check, synchronous } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { numel } from '../core/shape.js';
import { HostLog, recording } from '../tensor/replay.js';
import { Tensor } from '../tensor/tensor.js';
import { keep, Scope, tidy } from '../tensor/tidy.js';
import { asTensor, type Given, type Inputs, InputTree, memoryOf } from './inputs.js';
import { difference, flatten, pathsOf, structureOf } from './tree.js';

type Arguments<A extends unknown[]> = { [K in keyof A]: Inputs<A[K]> };

/** A function whose work on the device is recorded once and then replayed. */
export interface Compiled<A extends unknown[], R> {
  (...inputs: Arguments<A>): R;
  /** The same; pipelines that a recording needs are made in parallel meanwhile. Wait for it before the next call. */
  async(...inputs: Arguments<A>): Promise<R>;
  /** A call whose dispatches run one by one and are timed: see `profile`, which calls it once kernels are compiled. */
  profile(...inputs: Arguments<A>): Promise<DispatchRecord[]>;
  /** Bytes of the tensors that live in the latest recording: as planned, and alive at the worst moment. */
  readonly memory: { readonly planned: number; readonly live: number };
  /** Dispatches of the latest recording. */
  readonly dispatches: number;
}

interface Entry<R> {
  readonly work: Recorded;
  readonly host: HostLog;
  readonly result: R;
}

/** Recordings for inputs of the same shapes. One is trusted when a second call has recorded the same. */
interface Variants<R> {
  readonly trusted: Entry<R>[];
  candidate?: Entry<R>;
  /** Calls that did otherwise than the one before. */
  tries: number;
}

/** Calls that may run other operations than the one before: the first makes layers, say. */
const MAX_TRIES = 4;
const MAX_TRUSTED = 8;

/** Compiled functions that JavaScript has collected give the memory of their recordings back. */
const collected = new FinalizationRegistry<Set<Recorded>>((works) => works.forEach((w) => w.release()));

/**
 * Makes a step of work cheap to repeat: `fn` runs as ordinary code while its dispatches are recorded, memory is
 * planned by how long each tensor lives, and later calls replay the recording without running `fn` or allocating.
 *
 * - What changes from call to call is an argument (or state that is set outside). Arguments are trees: tensors in
 *   objects and arrays, by name, in any nesting. A call passes an `Input` for each; every call must pass the same
 *   tree.
 * - Everything else that `fn` computes on the host is as it was when recorded: `tensor([…])` inside is a constant. The
 *   second call records again; values, numbers, tensors from outside or results that differ from the first call's are
 *   an error, and so is a call of Math.random in it, however it falls out. Layers or state may be made in the first
 *   call.
 * - It returns a tree too. Its tensors are overwritten by the next call. Read them after the call, not inside.
 * - Other shapes or types of arguments, and other host state that `fn` reports by `dependsOn`, record anew. Host work
 *   that it reports by `onReplay` is repeated.
 *
 * On the reference backend, and inside another compiled function, `fn` is simply called, as by `tidy`.
 *
 * @example
 * const train = compile(({ x, labels, lr }: { x: Tensor; labels: Tensor; lr: Tensor }) => { … return { loss, top1 };
 * }); const { loss } = train({ x: new HostArray(pixels, [32, 28, 28, 1]), labels, lr: 0.05 });
 */
export function compile<A extends Tensor[], R>(fn: (...inputs: A) => R): Compiled<A, R>;
export function compile<A extends unknown[], R>(fn: (...inputs: A) => R): Compiled<A, R>;
export function compile<A extends unknown[], R>(fn: (...inputs: A) => R): Compiled<A, R> {
  check('compile', 'the function', fn, synchronous);
  const work = new Recordings(fn as (...inputs: unknown[]) => R);
  const compiled = Object.defineProperties((...inputs: Arguments<A>) => work.call(inputs), {
    async: { value: (...inputs: Arguments<A>) => work.async(inputs) },
    profile: { value: (...inputs: Arguments<A>) => work.profile(inputs) },
    memory: { get: () => work.latest?.memory ?? { planned: 0, live: 0 } },
    dispatches: { get: () => work.latest?.dispatches ?? 0 },
  });
  collected.register(compiled, work.all);
  return compiled as unknown as Compiled<A, R>;
}

/** A compiled function's recordings, and the ways to call it. */
class Recordings<R> {
  readonly all = new Set<Recorded>();
  latest?: Recorded;
  readonly #fn: (...inputs: unknown[]) => R;
  readonly #inputs = new InputTree();
  readonly #known = new Map<Backend, Map<string, Variants<R>>>();
  /** Whether pipelines of a recording are being made. */
  #busy = false;

  constructor(fn: (...inputs: unknown[]) => R) {
    this.#fn = fn;
  }

  call(inputs: readonly unknown[]): R {
    const given = this.#inputs.read(inputs);
    return direct() ? this.#direct(given) : this.#replay(this.#find(given), given);
  }

  async async(inputs: readonly unknown[]): Promise<R> {
    const given = this.#inputs.read(inputs);
    if (direct()) return this.#direct(given);
    const found = this.#find(given);
    this.#busy = true;
    try {
      if (found.fresh) await found.entry.work.prepare();
    } finally {
      this.#busy = false;
    }
    return this.#replay(found, given);
  }

  async profile(inputs: readonly unknown[]): Promise<DispatchRecord[]> {
    if (direct())
      throw new ConfigError(
        `profile: dispatches must be timed on a GPU, outside of compiled functions; got ${backend().name}. ` +
          `Open one with device().`,
      );
    const given = this.#inputs.read(inputs);
    const { entry, fresh } = this.#find(given);
    if (fresh) entry.work.build();
    entry.host.begin();
    if (!fresh) entry.host.replay();
    return entry.work.profile(given.map(memoryOf));
  }

  #direct(given: Given[]): R {
    const tensors = given.map(asTensor);
    return tidy(() => this.#run(tensors));
  }

  #run(tensors: Tensor[]): R {
    const result = this.#fn(...this.#inputs.of(tensors));
    this.#inputs.keep();
    return result;
  }

  #find(given: Given[]): { entry: Entry<R>; fresh: boolean } {
    if (this.#busy)
      throw new ConfigError(
        'compile: one call at a time must be recorded; got a call while another is compiled. Wait for async() first.',
      );
    const variants = this.#variants(backend(), given);
    const trusted = variants.trusted.find((e) => e.host.holds());
    const entry = trusted ?? record(backend(), given, (tensors) => this.#run(tensors));
    if (!trusted) {
      this.all.add(entry.work);
      for (const old of admit(variants, entry)) this.all.delete(old.work) && old.work.release();
    }
    this.latest = entry.work;
    return { entry, fresh: !trusted };
  }

  /** Recordings for inputs of these types and shapes. */
  #variants(on: Backend, given: Given[]): Variants<R> {
    const key = given.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    const here = this.#known.get(on) ?? new Map<string, Variants<R>>();
    const variants = here.get(key) ?? { trusted: [], tries: 0 };
    this.#known.set(on, here.set(key, variants));
    return variants;
  }

  #replay({ entry, fresh }: { entry: Entry<R>; fresh: boolean }, given: Given[]): R {
    if (fresh) entry.work.build();
    entry.host.begin();
    entry.work.replay(given.map(memoryOf));
    if (!fresh) entry.host.replay();
    return entry.result;
  }
}

/** Whether a compiled function is simply called: there is nothing to record on, or another is being recorded. */
const direct = (): boolean => !canRecord(backend()) || recording();

/**
 * Takes a new recording among the others; returns those that it replaces. @throws ConfigError if calls keep differing.
 */
function admit<R>(variants: Variants<R>, entry: Entry<R>): Entry<R>[] {
  const { candidate: before, trusted } = variants;
  const difference = before && differenceOf(entry, before);
  const random = entry.host.random && (before || trusted[0]) && 'a call of Math.random';
  const refused = random || (difference && refusal(variants, entry, before, difference));
  if (refused)
    throw new ConfigError(
      `compile: the function must do the same in every call, on other inputs; got ${refused}. ` +
        `Pass what changes as an argument.`,
    );
  const same = before && !difference;
  variants.candidate = same ? undefined : entry;
  if (same) {
    trusted.push(entry);
    variants.tries = 0;
  }
  return [...(before ? [before] : []), ...trusted.splice(0, trusted.length - MAX_TRUSTED)];
}

/**
 * What a function did otherwise than before, unless something that it depends on, or what only a first call does, may
 * explain it.
 */
function refusal<R>(
  variants: Variants<R>,
  { host }: Entry<R>,
  last: Entry<R>,
  difference: Difference,
): string | undefined {
  const { what, alike, upload } = difference;
  const sure = alike || (upload !== undefined && host.uploads.length === last.host.uploads.length);
  if (!host.agrees(last.host, upload === undefined ? undefined : host.uploads[upload])) return undefined;
  return sure || ++variants.tries >= MAX_TRIES ? what : undefined;
}

function differenceOf<R>({ work, result }: Entry<R>, before: Entry<R>): Difference | undefined {
  const what = otherResult(result, before.result);
  return work.difference(before.work) ?? (what === undefined ? undefined : { what, alike: true });
}

/** What a result holds besides tensors that another does not. */
function otherResult(result: unknown, before: unknown): string | undefined {
  const [structure, wanted] = [structureOf(result), structureOf(before)];
  const leaves = flatten(before, structure);
  if (!leaves) return difference(structure, wanted, 'result');
  const at = flatten(result, structure)!.findIndex((leaf, i) => !sameOnHost(leaf, leaves[i]));
  return at < 0 ? undefined : `another value at ${pathsOf(structure, 'result')[at]}`;
}

/** Whether two leaves of results say the same on the host; of tensors and other objects it is the device's to say. */
function sameOnHost(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => Object.is(v, b[i]));
  return Object.is(a, b) || (Object(a) === a && Object(b) === b);
}

/** Runs `fn` once on memory that stands for the inputs, while its dispatches and its work on the host are recorded. */
function record<R>(on: Backend, given: Given[], fn: (tensors: Tensor[]) => R): Entry<R> {
  const host = new HostLog(on);
  const unwatch = host.watchRandom();
  const specs = given.map(({ dtype, shape }) => ({ dtype, length: numel(shape) }));
  const recording = startRecording(on as GpuBackend, specs);
  const inputs = recording.inputs.map((s, i) => new Tensor(given[i].shape, given[i].dtype, on, s));
  const scope = new Scope();
  let result!: R;
  try {
    try {
      result = within({ host, scope }, () => fn(inputs));
    } finally {
      scope.end(result);
    }
    const tensors = flatten(result, structureOf(result))!.filter((leaf) => leaf instanceof Tensor);
    for (const t of tensors) keep(t);
    for (const { storage } of tensors) host.writes.add(storage);
    return { work: recording.end(tensors.map(({ storage }) => storage)), host, result };
  } catch (error) {
    recording.cancel();
    throw error;
  } finally {
    unwatch();
  }
}
