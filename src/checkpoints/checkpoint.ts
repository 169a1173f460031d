import { onShapes } from '../backend/shapes.js';
import { check, isPlain, type Rule, text } from '../core/check.js';
import { DivergedError, FormatError } from '../core/errors.js';
import { numel, type Shape, sameShape, show } from '../core/shape.js';
import { allFinite } from '../core/statistics.js';
import { joinBytes } from '../io/bytes.js';
import { tensorSum, withChecksums } from '../io/checksums.js';
import { decodeSafetensors, type StoredTensor, safetensorsParts } from '../io/safetensors.js';
import type { PretrainConfig } from '../moco/config.js';
import { createMethod } from '../moco/create.js';
import type { Method, Saved } from '../moco/method.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFinite } from './finite.js';
import { setStored, storeCount, storeValues, torchShape, turn } from './module-state.js';

/** One value of a checkpoint: how it is read from the device, and put back. */
export interface Slot {
  name: string;
  dtype: 'F32' | 'I64';
  shape: Shape;
  /** Reads the value as it is now; what comes of it is the work of storing it. */
  save(): Promise<() => StoredTensor>;
  load(stored: StoredTensor): void;
}

/** A tensor under PyTorch's name and layout. */
const tensorSlot = (name: string, t: Tensor): Slot => ({
  name,
  dtype: 'F32',
  shape: torchShape(t.shape),
  save: async () => {
    const values = (await t.data()) as Float32Array;
    return () => storeValues(t.shape, values);
  },
  load: ({ data }) => setStored(t, data as Float32Array),
});

/** A whole number under PyTorch's name. */
const countSlot = (
  name: string,
  shape: Shape,
  get: () => Promise<number> | number,
  set: (v: number) => void,
): Slot => ({
  name,
  dtype: 'I64',
  shape,
  save: async () => {
    const value = await get();
    return () => storeCount(shape, value);
  },
  load: ({ data }) => set(Number(data[0])),
});

function* moduleSlots(prefix: string, model: Module): Generator<Slot> {
  for (const e of model.entries(prefix))
    if ('tensor' in e) yield tensorSlot(e.name, e.tensor);
    else
      yield countSlot(
        e.name,
        [],
        () => e.counter.value,
        (v) => (e.counter.value = v),
      );
}

/** [K, dim] on the device is [dim, K] in MoCo's files. */
function turnedSlot(name: string, t: Tensor): Slot {
  const [K, dim] = t.shape;
  return {
    name,
    dtype: 'F32',
    shape: [dim, K],
    save: async () => {
      const values = (await t.data()) as Float32Array;
      return () => ({ dtype: 'F32', shape: [dim, K], data: turn(values, 1, K, dim) });
    },
    load: ({ data }) => void t.set(turn(data as Float32Array, 1, dim, K)),
  };
}

/** State as long as the parameters is stored a parameter at a time, under its name. */
function* optimizerSlots(prefix: string, optimizer: Optimizer): Generator<Slot> {
  const { parameters } = optimizer;
  for (const [key, t] of optimizer.state())
    if (t.size !== parameters.values.size) yield tensorSlot(`${prefix}${key}`, t);
    else
      for (const name of parameters.named.keys()) yield tensorSlot(`${prefix}${key}.${name}`, parameters.part(t, name));
}

function slotsOf(s: Saved): Iterable<Slot> {
  if ('model' in s) return moduleSlots(s.prefix, s.model);
  if ('optimizer' in s) return optimizerSlots(s.prefix, s.optimizer);
  if ('count' in s)
    return [
      countSlot(
        s.name,
        [1],
        () => s.count.item(),
        (v) => void s.count.set([v]),
      ),
    ];
  return [s.turned ? turnedSlot(s.name, s.tensor) : tensorSlot(s.name, s.tensor)];
}

/** Everything a run needs to go on: encoders, queue or bank, and the optimizer. */
export const slots = (method: Method): Slot[] => [...method.saved()].flatMap((s) => [...slotsOf(s)]);

const isMetadata: Rule = { is: 'an object of strings', holds: (v) => isPlain(v) && Object.values(v).every(text.holds) };

const checkSaved = (where: string, method: unknown): void =>
  check(
    where,
    'the method',
    method,
    { is: 'a method', holds: (v) => typeof v?.saved === 'function' },
    'Make one with createMethod().',
  );

/**
 * A safetensors file, for MoCo v1 to v3 with the names and layouts of facebookresearch's (without `module.`), with
 * checksums of its tensors. The state is that of the call: training may go on meanwhile.
 * @throws DivergedError if a tensor is not finite: such a state is of no use, and must not replace one that is.
 */
export async function saveCheckpoint(method: Method, metadata: Record<string, string>): Promise<Uint8Array> {
  checkSaved('saveCheckpoint', method);
  check('saveCheckpoint', 'the metadata', metadata, isMetadata);
  return joinBytes(checkpointParts(await readState(method), metadata));
}

/** A tensor of a state, with the CRC-32 of its bytes. */
type Summed = StoredTensor & { sum: string };

/**
 * The state as it is now, whatever training does meanwhile.
 * @param piece runs each of the many pieces of work on the host, one after the other.
 * @throws DivergedError as `saveCheckpoint`.
 */
export async function readState(
  method: Method,
  piece: <T>(work: () => T) => Promise<T> = async (work) => work(),
): Promise<Map<string, Summed>> {
  const all = slots(method);
  const reads = all.map((s) => s.save()); // in the order of the device's work, before what comes after this call
  const stored = new Map<string, Summed>();
  const bad: string[] = [];
  for (const [i, store] of (await Promise.all(reads)).entries())
    await piece(() => {
      const tensor = store();
      stored.set(all[i].name, { ...tensor, sum: tensorSum(tensor) });
      if (tensor.dtype === 'F32' && !allFinite(tensor.data as Float32Array)) bad.push(all[i].name);
    });
  if (bad.length > 0)
    throw new DivergedError(
      `checkpoint: every tensor of the state must be finite to be saved; ` +
        `got ${bad.length} of ${all.length} that are not, ${bad[0]} among them. ` +
        'Training has diverged: start it again with a lower --lr, from the last checkpoint or anew.',
    );
  return stored;
}

/** The file of a state, in parts. */
export const checkpointParts = (state: ReadonlyMap<string, Summed>, metadata: Record<string, string>): Uint8Array[] =>
  safetensorsParts(state, withChecksums(state, metadata));

/**
 * Loads a checkpoint into a model built with the same configuration. Nothing changes if it does not fit.
 *
 * @throws FormatError for a cut file, one of another model, or one with values that are not finite.
 */
export function loadCheckpoint(method: Method, bytes: Uint8Array, file: string): Record<string, string> {
  checkSaved('loadCheckpoint', method);
  check('loadCheckpoint', 'the file', file, text);
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const all = slots(method);
  checkSlots(all, tensors, file);
  for (const s of all) s.load(tensors.get(s.name)!);
  return metadata;
}

/** Sees whether a checkpoint is of the method of a configuration, without a device. @throws FormatError if not. */
export function checkCheckpoint(config: PretrainConfig, bytes: Uint8Array, file: string): void {
  const { tensors } = decodeSafetensors(bytes, file);
  const pictures = tensors.get('memory')?.shape[0] ?? 1;
  checkSlots(
    onShapes(() => slots(createMethod(config, pictures))),
    tensors,
    file,
  );
}

function checkSlots(all: readonly Slot[], tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
  for (const s of all) {
    const stored = tensors.get(s.name);
    if (!stored)
      throw new FormatError(
        `${file}: it must hold every tensor of the model; got none named ${s.name}. ` +
          `Is it a checkpoint of another model or method?`,
      );
    if (!sameShape(stored.shape, s.shape) || stored.data.length !== numel(s.shape))
      throw new FormatError(
        `${file}: ${s.name} must have shape ${show(s.shape)}; ` +
          `got ${show(stored.shape)}. It belongs to another model: resume with the configuration it was made with.`,
      );
    if (stored.dtype !== s.dtype)
      throw new FormatError(
        `${file}: ${s.name} must be ${s.dtype}; ` +
          `got ${stored.dtype}. Convert it: filters, statistics and the queue are floats, counts are 64-bit integers.`,
      );
  }
  checkCounts(all, tensors, file);
  checkFinite(tensors, file);
}

/** Counts are numbers of something, and the place in a queue is one of its columns. */
function checkCounts(all: readonly Slot[], tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
  for (const { name, dtype } of all) {
    if (dtype !== 'I64') continue;
    const count = Number(tensors.get(name)!.data[0]);
    const queue = name.endsWith('queue_ptr') ? tensors.get(name.slice(0, -'_ptr'.length)) : undefined;
    const end = queue?.shape.at(-1) ?? Number.MAX_SAFE_INTEGER;
    if (!(Number.isSafeInteger(count) && count >= 0 && count < end))
      throw new FormatError(
        `${file}: ${name} must be a whole number in [0, ${end - 1}]; got ${tensors.get(name)!.data[0]}. ` +
          'The checkpoint is damaged: take another.',
      );
  }
}
