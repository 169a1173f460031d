import { FormatError } from '../core/errors.js';
import { numel, sameShape, type Shape, show } from '../core/shape.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../io/safetensors.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor.js';
import type { MoCo } from './moco.js';

/** One value of a checkpoint: how it is read from the device, and put back. */
interface Slot {
  name: string;
  dtype: 'F32' | 'I64';
  shape: Shape;
  save(): Promise<StoredTensor>;
  load(stored: StoredTensor): void;
}

/** PyTorch's order of a shape: filters as OIHW where the engine has OHWI, everything else as it is. */
const torchShape = (shape: Shape): Shape => (shape.length === 4 ? [shape[0], shape[3], shape[1], shape[2]] : shape);

/** Turns a filter [O, A, B] into [O, B, A]. */
function turn(values: Float32Array, O: number, A: number, B: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let o = 0; o < O; o++) for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) turned[(o * B + b) * A + a] = values[(o * A + a) * B + b];
  return turned;
}

/** A tensor under PyTorch's name and layout. */
function tensorSlot(name: string, t: Tensor): Slot {
  const [O, R, S, C] = t.shape;
  const filter = t.rank === 4;
  const shape = torchShape(t.shape);
  return {
    name,
    dtype: 'F32',
    shape,
    save: async () => {
      const values = (await t.data()) as Float32Array;
      return { dtype: 'F32', shape: [...shape], data: filter ? turn(values, O, R * S, C) : values };
    },
    load: ({ data }) => void t.set(filter ? turn(data as Float32Array, O, C, R * S) : (data as Float32Array)),
  };
}

/** A whole number that PyTorch keeps as a 64-bit tensor. */
function countSlot(name: string, shape: Shape, get: () => Promise<number> | number, set: (v: number) => void): Slot {
  return {
    name,
    dtype: 'I64',
    shape,
    save: async () => ({ dtype: 'I64', shape: [...shape], data: BigInt64Array.of(BigInt(await get())) }),
    load: ({ data }) => set(Number(data[0])),
  };
}

function* moduleSlots(prefix: string, model: Module): Generator<Slot> {
  for (const e of model.entries(prefix))
    if ('tensor' in e) yield tensorSlot(e.name, e.tensor);
    else yield countSlot(e.name, [], () => e.counter.value, (v) => (e.counter.value = v));
}

/** [K, dim] on the device is [dim, K] in MoCo's files. */
function queueSlot({ queue }: MoCo): Slot {
  const [K, dim] = queue.shape;
  return {
    name: 'queue',
    dtype: 'F32',
    shape: [dim, K],
    save: async () => ({ dtype: 'F32', shape: [dim, K], data: turn((await queue.data()) as Float32Array, 1, K, dim) }),
    load: ({ data }) => void queue.set(turn(data as Float32Array, 1, dim, K)),
  };
}

/** Everything a run needs to go on: both encoders, the queue and its pointer, and the optimizer. */
function* slots(moco: MoCo): Generator<Slot> {
  yield* moduleSlots('encoder_q.', moco.encoderQ);
  yield* moduleSlots('encoder_k.', moco.encoderK);
  yield queueSlot(moco);
  yield countSlot('queue_ptr', [1], () => moco.pointer.item(), (v) => void moco.pointer.set([v]));
  const { parameters } = moco.optimizer;
  for (const [kind, t] of moco.optimizer.state())
    if (t.size === parameters.values.size) for (const name of parameters.named.keys()) yield tensorSlot(`optimizer.${kind}.${name}`, parameters.part(t, name));
    else yield tensorSlot(`optimizer.${kind}`, t);
}

/** A safetensors file with the names and layouts of facebookresearch/moco (without `module.`). */
export async function saveCheckpoint(moco: MoCo, metadata: Record<string, string>): Promise<Uint8Array> {
  const all = [...slots(moco)];
  const stored = await Promise.all(all.map((s) => s.save()));
  return encodeSafetensors(new Map(all.map((s, i) => [s.name, stored[i]])), metadata);
}

/**
 * Loads a checkpoint into a model built with the same configuration. Nothing changes if it does not fit.
 *
 * @throws FormatError for a cut file, or one of another model.
 */
export function loadCheckpoint(moco: MoCo, bytes: Uint8Array, file: string): Record<string, string> {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const all = [...slots(moco)];
  for (const s of all) {
    const stored = tensors.get(s.name);
    if (!stored) throw new FormatError(`${file}: it must hold every tensor of the model; got none named ${s.name}. Is it a checkpoint of another model or method?`);
    if (!sameShape(stored.shape, s.shape) || stored.data.length !== numel(s.shape))
      throw new FormatError(`${file}: ${s.name} must have shape ${show(s.shape)}; got ${show(stored.shape)}. It belongs to another model: resume with the configuration it was made with.`);
    if (stored.dtype !== s.dtype) throw new FormatError(`${file}: ${s.name} must be ${s.dtype}; got ${stored.dtype}. Convert it: filters, statistics and the queue are floats, counts are 64-bit integers.`);
  }
  for (const s of all) s.load(tensors.get(s.name)!);
  return metadata;
}
