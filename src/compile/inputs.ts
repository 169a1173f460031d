import { backend } from '../backend/backend.js';
import { shown } from '../core/check.js';
import { checkValues, type DType, type TypedArray } from '../core/dtype.js';
import { ConfigError, DeviceError, DTypeError, ShapeError } from '../core/errors.js';
import { checkShape, numel, type Shape, show } from '../core/shape.js';
import { dtypeOf, Tensor, tensor } from '../tensor/tensor.js';
import { listed } from '../tensor/values.js';
import { difference, flatten, pathsOf, type Structure, structureOf, unflatten } from './tree.js';

/**
 * Values on the host with the shape that they have on the device, for a compiled function: it takes them as a tensor.
 * They are read when it is called, so that one array may serve every call.
 *
 * @example
 * train({ x: new HostArray(pixels, [32, 28, 28, 1]), labels });
 */
export class HostArray {
  readonly values: TypedArray;
  readonly shape: Shape;
  readonly dtype: DType;

  /**
   * @param values of a typed array its element type; f32 of numbers and Float64Array.
   * @param shape that of a vector if left out.
   * @throws ShapeError for a shape of other than as many values, DTypeError for values that are no numbers.
   */
  constructor(values: TypedArray | readonly number[], shape?: Shape) {
    const flat = listed('HostArray', values);
    if (Array.isArray(flat)) checkValues('HostArray', flat, 'f32');
    this.values = Array.isArray(flat) || flat instanceof Float64Array ? Float32Array.from(flat) : (flat as TypedArray);
    this.dtype = dtypeOf(this.values);
    this.shape = shape ?? [this.values.length];
    if (shape === undefined) return;
    checkShape('HostArray', shape);
    if (numel(shape) !== this.values.length)
      throw new ShapeError(
        `HostArray: the shape must hold every value; got ${this.values.length} values for ${show(shape)}. ` +
          `Correct one of them.`,
      );
  }
}

/**
 * What a compiled function takes for each tensor: a tensor (copied on the device), values with a shape, a vector of
 * values, or one number.
 */
export type Input = Tensor | HostArray | TypedArray | readonly number[] | number;

/** What a call passes for a tree of tensors: the same tree of inputs. */
export type Inputs<T> = T extends Tensor ? Input : T extends object ? { [K in keyof T]: Inputs<T[K]> } : T;

/** The tensors that a compiled function gets for a tree of inputs. */
export type OnDevice<T> = T extends Input ? Tensor : T extends object ? { [K in keyof T]: OnDevice<T[K]> } : T;

/** An input as it is passed on. */
export type Given = Tensor | HostArray;

/** The trees that every call of a function passes, one an argument, learned from the first that ran. */
export class InputTree {
  #structures: readonly Structure[] = [];
  /** Whether a call has run. */
  #known = false;

  /**
   * The leaves of a call's arguments. @throws ConfigError, with the path, where their structure is not that of the
   * first call.
   */
  read(inputs: readonly unknown[]): Given[] {
    if (!this.#known) this.#structures = inputs.map((tree) => structureOf(tree));
    const structures = this.#structures;
    const leaves: unknown[] = [];
    if (inputs.length !== structures.length || !inputs.every((tree, i) => flatten(tree, structures[i], leaves)))
      throw this.#other(inputs);
    return leaves.map((leaf, i) => given(leaf, () => structures.flatMap((s, at) => pathsOf(s, this.#root(at)))[i]));
  }

  /** The arguments that have these tensors for leaves. */
  of(tensors: readonly Tensor[]): unknown[] {
    let next = 0;
    return this.#structures.map((structure) => unflatten(structure, () => tensors[next++]));
  }

  /** Says that the latest call has run, so that those to come must be like it. */
  keep(): void {
    this.#known = true;
  }

  #other(inputs: readonly unknown[]): ConfigError {
    const wanted = this.#structures;
    const differences = inputs.map((tree, i) => difference(structureOf(tree), wanted[i], this.#root(i)));
    const got =
      inputs.length === wanted.length
        ? differences.find((d) => d !== undefined)
        : `${inputs.length} arguments in place of ${wanted.length}`;
    return new ConfigError(
      `compile: inputs must have the structure of the first call's; got ${got}. Compile another function for it.`,
    );
  }

  /** What paths in an argument begin with. */
  #root(argument: number): string {
    return this.#structures.length === 1 ? 'inputs' : `inputs[${argument}]`;
  }
}

/**
 * @throws DTypeError for what is no input, ConfigError for a parameter, DeviceError for a tensor of another backend.
 */
function given(input: unknown, path: () => string): Given {
  if (input instanceof HostArray) return input;
  if (input instanceof Tensor) return checkedTensor(input, path);
  if (typeof input === 'number') return new HostArray([input], []);
  if (vectors.some((of) => input instanceof of)) return new HostArray(input as TypedArray);
  throw new DTypeError(
    `compile: inputs must be tensors, HostArrays, typed arrays or numbers, in objects and arrays; ` +
      `got ${shown(input)} at ${path()}. Convert it.`,
  );
}

/** Of lists, those of numbers alone are leaves. */
const vectors = [Array, Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array, Uint8ClampedArray];

function checkedTensor(input: Tensor, path: () => string): Tensor {
  if (input.requiresGrad)
    throw new ConfigError(
      `compile: arguments must carry no gradients; got ${input} at ${path()}. Use parameters from outside, ` +
        `not as arguments.`,
    );
  if (input.backend !== backend())
    throw new DeviceError(
      `compile: arguments must be on ${backend().name}; got ${shown(input)} on ${input.backend.name} at ` +
        `${path()}. Make it there.`,
    );
  return input;
}

export const memoryOf = (g: Given): Tensor['storage'] | TypedArray => (g instanceof Tensor ? g.storage : g.values);
export const asTensor = (g: Given): Tensor => (g instanceof Tensor ? g : tensor(g.values, g.shape, g.dtype));
