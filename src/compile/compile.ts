import { backend, type Backend, type Difference, type DispatchRecord, type Recorded } from '../backend/backend.js';
import { check, synchronous, told } from '../core/check.js';
import { checkValues, type DType, type TypedArray } from '../core/dtype.js';
import { ConfigError, DeviceError } from '../core/errors.js';
import type { Shape } from '../core/shape.js';
import { type HostLog, logHost, recording } from '../tensor/replay.js';
import { isPlain, keep, tidy, tensorsIn } from '../tensor/tidy.js';
import { dtypeOf, listed, Tensor, tensor } from '../tensor/tensor.js';

/** What a compiled function takes for each tensor: a tensor (copied on the device), a vector of values, or one number. */
export type Input = Tensor | TypedArray | readonly number[] | number;
type Inputs<A extends Tensor[]> = { [K in keyof A]: Input };

/** A function whose work on the device is recorded once and then replayed. */
export interface Compiled<A extends Tensor[], R> {
  (...inputs: Inputs<A>): R;
  /** The same; pipelines that a recording needs are made in parallel meanwhile. Wait for it before the next call. */
  async(...inputs: Inputs<A>): Promise<R>;
  /** A call whose dispatches run one by one and are timed: see `profile`, which calls it once kernels are compiled. */
  profile(...inputs: Inputs<A>): Promise<DispatchRecord[]>;
  /** Bytes of the tensors that live in the latest recording: as planned, and alive at the worst moment. */
  readonly memory: { readonly planned: number; readonly live: number };
  /** Dispatches of the latest recording. */
  readonly dispatches: number;
}

interface Given {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly value: TypedArray | Tensor;
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
 * - What changes from call to call is an argument (or state that is set outside). Arguments are fixed buffers that
 *   each call fills: a typed array is a vector of its type, a number a scalar.
 * - Everything else that `fn` computes on the host is as it was when recorded: `tensor([…])` inside is a constant.
 *   The second call records again; values, numbers, tensors from outside or results that differ from the first call's are an
 *   error, and so is a call of Math.random in it, however it falls out. Layers or state may be made in the first call.
 * - Tensors that it returns are overwritten by the next call. Read them after the call, not inside.
 * - Other shapes or types of arguments, and other host state that `fn` reports by `dependsOn`, record anew.
 *   Host work that it reports by `onReplay` is repeated.
 *
 * On the reference backend, and inside another compiled function, `fn` is simply called, as by `tidy`.
 */
export function compile<A extends Tensor[], R>(fn: (...inputs: A) => R): Compiled<A, R> {
  check('compile', 'the function', fn, synchronous);
  const known = new Map<Backend, Map<string, Variants<R>>>();
  const works = new Set<Recorded>();
  let latest: Recorded | undefined;
  let busy = false;

  const find = (on: Backend, given: Given[]): { entry: Entry<R>; fresh: boolean } => {
    if (busy) throw new ConfigError('compile: one call at a time must be recorded; got a call while another is compiled. Wait for async() first.');
    const variants = variantsOf(known, on, given);
    const trusted = variants.trusted.find((e) => e.host.holds());
    const entry = trusted ?? record(on, given, fn);
    if (!trusted) {
      works.add(entry.work);
      for (const old of admit(variants, entry)) works.delete(old.work) && old.work.release();
    }
    latest = entry.work;
    return { entry, fresh: !trusted };
  };
  const values = (given: Given[]) => given.map(({ value }) => (value instanceof Tensor ? value.storage : value));
  const finish = ({ entry, fresh }: ReturnType<typeof find>, given: Given[]): R => {
    if (fresh) entry.work.build();
    entry.work.replay(values(given));
    if (!fresh) entry.host.replay();
    return entry.result;
  };
  const eager = (given: Given[]): R => tidy(() => fn(...(given.map(asTensor) as A)));
  const direct = () => !backend().record || recording();

  const call = (...inputs: Inputs<A>): R => {
    const given = inputs.map(asGiven);
    return direct() ? eager(given) : finish(find(backend(), given), given);
  };
  const async = async (...inputs: Inputs<A>): Promise<R> => {
    const given = inputs.map(asGiven);
    if (direct()) return eager(given);
    const found = find(backend(), given);
    busy = true;
    await (found.fresh ? found.entry.work.prepare() : undefined)?.finally(() => (busy = false));
    busy = false;
    return finish(found, given);
  };
  const profile = async (...inputs: Inputs<A>): Promise<DispatchRecord[]> => {
    if (direct()) throw new ConfigError(`profile: dispatches must be timed on a GPU, outside of compiled functions; got ${backend().name}. Open one with device().`);
    const given = inputs.map(asGiven);
    const { entry, fresh } = find(backend(), given);
    if (fresh) entry.work.build();
    else entry.host.replay();
    return entry.work.profile(values(given));
  };
  const compiled = Object.defineProperties(Object.assign(call, { async, profile }), {
    memory: { get: () => latest?.memory ?? { planned: 0, live: 0 } },
    dispatches: { get: () => latest?.dispatches ?? 0 },
  });
  collected.register(compiled, works);
  return compiled as unknown as Compiled<A, R>;
}

function variantsOf<R>(known: Map<Backend, Map<string, Variants<R>>>, on: Backend, given: Given[]): Variants<R> {
  const key = given.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
  const here = known.get(on) ?? new Map<string, Variants<R>>();
  const variants = here.get(key) ?? { trusted: [], tries: 0 };
  known.set(on, here.set(key, variants));
  return variants;
}

/** Takes a new recording among the others; returns those that it replaces. @throws ConfigError if calls keep differing. */
function admit<R>(variants: Variants<R>, entry: Entry<R>): Entry<R>[] {
  const { candidate: before, trusted } = variants;
  const difference = before && differenceOf(entry, before);
  const random = entry.host.random && (before || trusted[0]) && 'a call of Math.random';
  const refused = random || (difference && refusal(variants, entry, before, difference));
  if (refused)
    throw new ConfigError(
      `compile: the function must do the same in every call, on other inputs; got ${refused}. Pass what changes as an argument.`,
    );
  const same = before && !difference;
  variants.candidate = same ? undefined : entry;
  if (same) {
    trusted.push(entry);
    variants.tries = 0;
  }
  return [...(before ? [before] : []), ...trusted.splice(0, trusted.length - MAX_TRUSTED)];
}

/** What a function did otherwise than before, unless something that it depends on, or what only a first call does, may explain it. */
function refusal<R>(variants: Variants<R>, { host }: Entry<R>, last: Entry<R>, difference: Difference): string | undefined {
  const { what, alike, upload } = difference;
  const sure = alike || (upload !== undefined && host.uploads.length === last.host.uploads.length);
  if (!host.agrees(last.host, upload === undefined ? undefined : host.uploads[upload])) return undefined;
  return sure || ++variants.tries >= MAX_TRIES ? what : undefined;
}

const differenceOf = <R>({ work, result }: Entry<R>, before: Entry<R>): Difference | undefined =>
  work.difference(before.work) ??
  (onHost(result) === onHost(before.result) ? undefined : { what: 'a result with other values', alike: true });

/** What a result holds besides tensors. */
const onHost = (result: unknown): string | undefined =>
  JSON.stringify(result, (_, v) => (typeof v === 'bigint' ? `${v}` : v && typeof v === 'object' && !isPlain(v) ? undefined : v));

function record<A extends Tensor[], R>(on: Backend, given: Given[], fn: (...inputs: A) => R): Entry<R> {
  let result!: R;
  const specs = given.map(({ dtype, shape }) => ({ dtype, length: shape.reduce((n, d) => n * d, 1) }));
  const [work, host] = logHost(() =>
    on.record!(specs, (storages) => {
      const inputs = storages.map((s, i) => new Tensor(given[i].shape, given[i].dtype, on, s));
      result = tidy(() => fn(...(inputs as A)));
      return [...tensorsIn(result)].map((t) => (keep(t), t.storage));
    }),
  );
  return { work, host, result };
}

function asGiven(input: Input): Given {
  if (typeof input === 'number') return { shape: [], dtype: 'f32', value: Float32Array.of(input) };
  if (!(input instanceof Tensor)) return ofValues(listed('compile', input));
  if (input.requiresGrad) throw new ConfigError(`compile: arguments must carry no gradients; got ${input.label}. Use parameters from outside, not as arguments.`);
  if (input.backend !== backend()) throw new DeviceError(`compile: arguments must be on ${backend().name}; got ${told(input)} on ${input.backend.name}. Make it there.`);
  return { shape: input.shape, dtype: input.dtype, value: input };
}

function ofValues(values: TypedArray | readonly number[]): Given {
  const floats = Array.isArray(values) || values instanceof Float64Array;
  if (Array.isArray(values)) checkValues('compile', values, 'f32');
  return { shape: [values.length], dtype: dtypeOf(values), value: floats ? Float32Array.from(values) : (values as TypedArray) };
}

const asTensor = ({ value, shape, dtype }: Given): Tensor => (value instanceof Tensor ? value : tensor(value, shape, dtype));
