import { FormatError } from '../core/errors.js';
import { type Shape, sameShape, show } from '../core/shape.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';

/** PyTorch's order of a shape: filters as OIHW where the engine has OHWI, everything else as it is. */
export const torchShape = (shape: Shape): number[] =>
  shape.length === 4 ? [shape[0], shape[3], shape[1], shape[2]] : [...shape];

/** Turns each of O matrices [A, B] into [B, A]. */
export function turn(values: Float32Array, O: number, A: number, B: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let o = 0; o < O; o++)
    for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) turned[(o * B + b) * A + a] = values[(o * A + a) * B + b];
  return turned;
}

/** A tensor in PyTorch's layout. */
export const storeTensor = async (t: Tensor): Promise<StoredTensor> =>
  storeValues(t.shape, (await t.data()) as Float32Array);

/** Values of the engine in PyTorch's layout. */
export function storeValues(shape: Shape, values: Float32Array): StoredTensor {
  const [O, R, S, C] = shape;
  return { dtype: 'F32', shape: torchShape(shape), data: shape.length === 4 ? turn(values, O, R * S, C) : values };
}

/** Sets `t` to what is stored in PyTorch's layout. */
export function setStored(t: Tensor, data: Float32Array): void {
  const [O, R, S, C] = t.shape;
  t.set(t.rank === 4 ? turn(data, O, C, R * S) : data);
}

/** A whole number that PyTorch keeps as a 64-bit tensor. */
export const storeCount = (shape: Shape, value: number): StoredTensor => ({
  dtype: 'I64',
  shape: [...shape],
  data: BigInt64Array.of(BigInt(value)),
});

/** A module's state with PyTorch's names and layouts. */
export async function moduleTensors(model: Module): Promise<Map<string, StoredTensor>> {
  const stored = new Map<string, StoredTensor>();
  for (const e of model.entries())
    stored.set(e.name, 'counter' in e ? storeCount([], e.counter.value) : await storeTensor(e.tensor));
  return stored;
}

/**
 * Whether tensors with PyTorch's names and layouts are a module's state.
 * @param skipped tensors that the file holds and that are not read, with their types.
 * @throws FormatError for one that lacks or has another type or shape.
 */
export function checkModule(
  model: Module,
  tensors: ReadonlyMap<string, StoredTensor>,
  file: string,
  skipped?: ReadonlyMap<string, string>,
): void {
  for (const e of model.entries()) {
    if ('counter' in e) continue; // files of before PyTorch 0.4.1 have none
    const stored = tensors.get(e.name);
    const type = skipped?.get(e.name);
    if (type !== undefined)
      throw new FormatError(
        `${file}: ${e.name} must be of floats; got ${type}, which is not read. Save it as floats: tensor.float().`,
      );
    if (!stored)
      throw new FormatError(
        `${file}: it must hold every tensor of the model; got none named ${e.name}. ` +
          `Is it a checkpoint of another model, or a part of one?`,
      );
    if (stored.dtype !== 'F32' || !sameShape(stored.shape, torchShape(e.tensor.shape)))
      throw new FormatError(
        `${file}: ${e.name} must be F32 ${show(torchShape(e.tensor.shape))}; ` +
          `got ${stored.dtype} ${show(stored.shape)}. It belongs to another model.`,
      );
  }
}

/**
 * Loads a module's state from tensors with PyTorch's names and layouts; others are passed over. @throws FormatError
 * before anything changes.
 */
export function loadModule(model: Module, tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
  checkModule(model, tensors, file);
  for (const e of model.entries()) {
    const data = tensors.get(e.name)?.data;
    if ('counter' in e) e.counter.value = Number(data?.[0] ?? 0);
    else setStored(e.tensor, data as Float32Array);
  }
}
