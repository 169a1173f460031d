import { check, type Rule, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { numel } from '../core/shape.js';
import { visibleName } from '../core/visible.js';
import { Inert } from '../io/pickle.js';
import type { StoredTensor } from '../io/safetensors.js';
import { TorchTensor } from '../io/torch-tensor.js';
import { behind, checkName, placeOfEncoder, plainNames } from './tensor-names.js';

/** Tensors of a checkpoint by their names, and what else is known of it. */
export interface Weights {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
  /** Tensors that are not read, with their types, or the classes that they would need. */
  skipped?: ReadonlyMap<string, string>;
  /** What else was left out of the file, in sentences. */
  notes?: readonly string[];
}

export const tensorMap: Rule = {
  is: 'a Map of tensors by name',
  holds: (v) => v instanceof Map && [...v].every(([name, t]) => typeof name === 'string' && Array.isArray(t?.shape)),
};

/** A tensor of a file, or what stands where one may be. */
type Found = TorchTensor | Inert;

/**
 * The tensors of a PyTorch checkpoint, by plain names: of its `state_dict` or `model`, or the file itself where it is
 * one; those of other dictionaries of tensors beside it (`teacher`, `model_ema`) behind the dictionary's name. The
 * state of SGD and LARS becomes `optimizer.velocity.<parameter>`, AdamW's `optimizer.m` and `v`. A gradient scaler is
 * left out.
 * @throws FormatError where there are no tensors.
 */
export async function torchWeights(content: unknown, file: string): Promise<Weights> {
  check('torchWeights', 'the file', file, text);
  const top: Map<unknown, unknown> = content instanceof Map ? content : new Map();
  const { own, others } = dictionaries(top, file);
  const named = new Map([...own, ...others]);
  if (![...named.values()].some((t) => t instanceof TorchTensor)) return refuseNoTensors(content, top, file);
  const found = plainNames(
    new Map([...named].map(([name, t]) => [name, { shape: t instanceof TorchTensor ? t.shape : [], t }])),
    file,
  );
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  const loaded = new Map<TorchTensor, StoredTensor>(); // one of two names is read once
  for (const [name, { t }] of found)
    if (t instanceof TorchTensor) {
      if (!loaded.has(t)) loaded.set(t, await t.load());
      tensors.set(name, loaded.get(t)!);
    } else skipped.set(name, t.name);
  const mine = new Set<Found>(own.values());
  const order = [...found].flatMap(([name, { t }]) => (mine.has(t) ? [name] : []));
  const optimizer = await optimizerState(
    top.get('optimizer'),
    order.filter((name) => !isBuffer(name)),
    tensors,
  );
  for (const [name, t] of optimizer.tensors) tensors.set(name, t);
  return { tensors, metadata: { format: 'dawngrad-moco', ...facts(top) }, skipped, notes: optimizer.notes };
}

const facts = (top: Map<unknown, unknown>): Record<string, string> =>
  Object.fromEntries(
    ['epoch', 'arch'].flatMap((key) =>
      ['string', 'number'].includes(typeof top.get(key)) ? [[key, String(top.get(key))]] : [],
    ),
  );

const holdsTensors = (v: unknown): v is Map<unknown, unknown> =>
  v instanceof Map && [...v.values()].some((t) => t instanceof TorchTensor);

/** Dictionaries that hold no weights, whatever lies in them. */
const NO_WEIGHTS = /optim|sched|scaler|callback|loops|rng|hyper|args/i;

/** Entries of dictionaries that are walked through: a small file can hold one dictionary in itself many times over. */
const MOST_ENTRIES = 2 ** 20;

/** What is named in the dictionary of the weights, and in those beside it. */
function dictionaries(
  top: Map<unknown, unknown>,
  file: string,
): { own: Map<string, Found>; others: Map<string, Found> } {
  const root = ['state_dict', 'model'].find((key) => holdsTensors(top.get(key)));
  const all = (root === undefined ? top : top.get(root)) as Map<unknown, unknown>;
  const others = new Map<string, Found>();
  const walk = { file, left: MOST_ENTRIES };
  if (root !== undefined)
    for (const [key, v] of top) if (key !== root && v instanceof Map) collect(new Map([[key, v]]), '', 3, others, walk);
  return { own: collect(all, '', 3, new Map(), walk), others };
}

/** Tensors by dotted names, down to a depth; of placeholders only those among tensors. */
function collect(
  dictionary: Map<unknown, unknown>,
  prefix: string,
  depth: number,
  found: Map<string, Found>,
  walk: { readonly file: string; left: number },
): Map<string, Found> {
  const amongTensors = holdsTensors(dictionary);
  if ((walk.left -= dictionary.size) < 0) throw tooMany(walk.file);
  for (const [key, v] of dictionary) {
    if (typeof key !== 'string') {
      if (v instanceof TorchTensor) throw noName(walk.file, key);
      continue;
    }
    checkName(key, walk.file);
    if (v instanceof TorchTensor || (amongTensors && v instanceof Inert)) found.set(prefix + key, v);
    else if (v instanceof Map && depth > 0 && !NO_WEIGHTS.test(key))
      collect(v, `${prefix}${key}.`, depth - 1, found, walk);
  }
  return found;
}

const tooMany = (file: string): FormatError =>
  new FormatError(
    `${file}: the dictionaries of a checkpoint must have at most ${MOST_ENTRIES} entries together; got more. ` +
      'Save model.state_dict() alone.',
  );

const noName = (file: string, key: unknown): FormatError =>
  new FormatError(
    `${file}: tensors must be named by strings; ` +
      `got a key of another kind (${Array.isArray(key) ? 'a tuple' : typeof key}). ` +
      'Save model.state_dict().',
  );

function refuseNoTensors(content: unknown, top: Map<unknown, unknown>, file: string): never {
  const inside = [content, top.get('state_dict'), top.get('model'), ...top.values()].find((v) => v instanceof Inert);
  const got =
    inside instanceof Inert
      ? `an object of ${visibleName(inside.name)}, which is not built`
      : top.size > 0
        ? `one of ${shortKeys(top)}`
        : 'none';
  throw new FormatError(
    `${file}: a checkpoint must be a dictionary of tensors, or have one (under state_dict or model); ` +
      `got ${got}. Save model.state_dict().`,
  );
}

const shortKeys = (top: Map<unknown, unknown>): string =>
  [...top.keys()]
    .slice(0, 5)
    .map((key) => (typeof key === 'string' ? visibleName(key, 40) : typeof key))
    .join(', ');

/** State that no gradient reaches. */
export const isBuffer = (name: string): boolean =>
  /(^|\.)(running_mean|running_var|num_batches_tracked|queue|queue_ptr)$/.test(name);

/**
 * PyTorch's names for what optimizers keep of a parameter: SGD's and LARS's velocity (`mu` in moco-v3), AdamW's
 * moments.
 */
const KEPT: Record<string, string> = { momentum_buffer: 'velocity', mu: 'velocity', exp_avg: 'm', exp_avg_sq: 'v' };

interface OptimizerState {
  tensors: [string, StoredTensor][];
  notes: string[];
}

/**
 * An optimizer's state goes by the place of a parameter among all: those of the state dict, in its order, without
 * buffers.
 */
async function optimizerState(
  optimizer: unknown,
  parameters: string[],
  weights: ReadonlyMap<string, StoredTensor>,
): Promise<OptimizerState> {
  const found: OptimizerState = { tensors: [], notes: [] };
  const [states, groups] =
    optimizer instanceof Map ? ['state', 'param_groups'].map((key) => optimizer.get(key) as unknown) : [];
  if (!(states instanceof Map) || !Array.isArray(groups)) return found;
  const params = (group: unknown): unknown => (group instanceof Map ? group.get('params') : undefined);
  const order = groups.flatMap((group: unknown) => (Array.isArray(params(group)) ? (params(group) as unknown[]) : []));
  for (const [i, key] of order.entries()) {
    const state = states.get(key) as unknown;
    if (!(state instanceof Map) || !parameters[i]) continue;
    const shape = weights.get(parameters[i])?.shape;
    for (const [theirs, ours] of Object.entries(KEPT)) {
      const t = state.get(theirs) as unknown;
      if (!(t instanceof TorchTensor)) continue;
      if (!shape || t.length !== numel(shape)) return leftOut('it is of other parameters than the file holds');
      found.tensors.push([`optimizer.${ours}.${parameters[i].replace(/^encoder_q\./, '')}`, await t.load()]);
    }
    if (!state.has('exp_avg') || found.tensors.some(([known]) => known === CORRECTIONS)) continue;
    const steps = await count(state.get('step'));
    if (steps === undefined) return leftOut('it does not say its steps');
    found.tensors.push([CORRECTIONS, corrections(steps)]);
  }
  return found;
}

const CORRECTIONS = 'optimizer.corrections';

const leftOut = (why: string): OptimizerState => ({
  tensors: [],
  notes: [`The optimizer's state is left out: ${why}.`],
});

/** A count, a number or since PyTorch 1.12 a tensor. */
async function count(v: unknown): Promise<number | undefined> {
  const steps = v instanceof TorchTensor ? Number((await v.load()).data[0]) : v;
  return typeof steps === 'number' && steps >= 0 ? steps : undefined;
}

/** AdamW's 1 - beta^steps, for the betas that MoCo v3 uses. */
const corrections = (steps: number): StoredTensor => ({
  dtype: 'F32',
  shape: [2],
  data: Float32Array.from([0.9, 0.999], (beta) => 1 - beta ** steps),
});

/**
 * The query encoder's tensors by torchvision's or timm's names, with their head and without the rest of the method.
 * @param prefix what stands before its names, where there are several. @throws FormatError if there is none.
 */
export function encoderWeights(
  tensors: ReadonlyMap<string, StoredTensor>,
  file: string,
  prefix?: string,
): Map<string, StoredTensor> {
  check('encoderWeights', 'the file', file, text);
  check('encoderWeights', 'the tensors', tensors, tensorMap);
  const plain = plainNames(tensors, file);
  return behind(plain, placeOfEncoder(plain, file, prefix).prefix);
}
