import { shown } from '../core/check.js';
import { ConfigError, DTypeError, ShapeError } from '../core/errors.js';
import { type Shape, sameShape, show, stridesOf } from '../core/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** Booleans in lists, one in the other. */
export type Booleans = readonly boolean[] | readonly Booleans[];
type Integers = readonly number[] | readonly Integers[];

/** What `at` takes for an axis, or for several. */
export type Index = number | string | null | Tensor<'u32'> | Int32Array | Uint32Array | Integers | Booleans;

/** Places of one axis: known here, or on the device. */
export interface List {
  readonly axis: number;
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
  readonly tensor?: Tensor;
}

/** An index as a box of x, some of whose axes are then looked up in lists. */
export interface Parsed {
  readonly shape: number[];
  readonly strides: number[];
  start: number;
  readonly lists: List[];
  /** Where the axes of the lists come among the others: before all, unless the lists and numbers stand side by side. */
  first: number;
}

const wrong = (v: unknown): ConfigError =>
  new ConfigError(
    `at: an index must be a whole number, a slice as '1:-1', '...', null, a list of places or of booleans; ` +
      `got ${shown(v)}. ` +
      'Write one for each axis.',
  );

/** The sizes of nested lists of one kind, and all they hold. */
function flat(list: unknown, kind: 'number' | 'boolean', whole: unknown): { sizes: number[]; values: any[] } {
  if (!Array.isArray(list)) {
    if (typeof list !== kind) throw wrong(whole);
    return { sizes: [], values: [list] };
  }
  const parts = Array.from(list, (v) => flat(v, kind, whole));
  const sizes = parts[0]?.sizes ?? [];
  const odd = parts.find((p) => !sameShape(p.sizes, sizes));
  if (odd)
    throw new ShapeError(
      `at: nested lists must all have the same sizes; got ${show(sizes)} beside ${show(odd.sizes)}. Fill or cut them.`,
    );
  return { sizes: [list.length, ...sizes], values: parts.flatMap((p) => p.values) };
}

const isMask = (v: unknown): boolean => Array.isArray(v) && (typeof v[0] === 'boolean' || isMask(v[0]));
const isList = (v: unknown): v is Integers => Array.isArray(v) || v instanceof Int32Array || v instanceof Uint32Array;
const depth = (v: unknown): number => (Array.isArray(v) ? 1 + depth(v[0]) : 0);

/** Axes of x that an index stands for. */
const axesOf = (v: Index): number => (v === null || v === '...' ? 0 : isMask(v) ? depth(v) : 1);

/** A place of an axis, counted from 0. */
function placeOf(v: unknown, axis: number, size: number): number {
  if (!Number.isInteger(v)) throw wrong(v);
  const place = v as number;
  if (place < -size || place >= size)
    throw new ShapeError(
      `at: the index of axis ${axis} must lie in [${-size}, ${size - 1}]; got ${place}. Correct it.`,
    );
  return place < 0 ? place + size : place;
}

/** Where a slice begins, its step and how many it takes: NumPy's rule, which cuts at the ends. */
function sliceOf(text: string, size: number): { from: number; step: number; count: number } {
  const parts = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/.exec(text);
  const step = Number(parts?.[3] ?? 1);
  if (!parts || step === 0) throw wrong(text);
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const cut = (v: string | undefined, none: number) =>
    v === undefined ? none : Math.min(Math.max(Number(v) < 0 ? Number(v) + size : Number(v), least), most);
  const [from, to] =
    step > 0 ? [cut(parts[1], least), cut(parts[2], most)] : [cut(parts[1], most), cut(parts[2], least)];
  return { from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
}

/** The index with '...' written out, as long as x has axes for it. */
function complete(index: readonly Index[], shape: Shape): Index[] {
  const places = index.flatMap((v, i) => (v === '...' ? [i] : []));
  if (places.length > 1)
    throw new ConfigError(`at: '...' must come once at most; got ${places.length}. Write ':' for single axes.`);
  const named = index.reduce<number>((n, v) => n + axesOf(v), 0);
  if (named > shape.length)
    throw new ShapeError(
      `at: the index must name at most ${shape.length} axes of ${show(shape)}; got ${named}. Drop some.`,
    );
  const [before, after] = places.length > 0 ? [index.slice(0, places[0]), index.slice(places[0] + 1)] : [index, []];
  return [...before, ...new Array<string>(shape.length - named).fill(':'), ...after];
}

/** The places of lists of numbers. */
function listOf(v: Integers | Int32Array | Uint32Array, axis: number, size: number, at: number): List {
  const { sizes, values } = flat(Array.isArray(v) ? v : Array.from(v as Uint32Array), 'number', v);
  return { axis: at, shape: sizes, values: values.map((place) => placeOf(place, axis, size)) };
}

/** Lists of the places where nested booleans are true, one for each of their axes. */
function listsOf(v: Booleans, axis: number, shape: Shape, at: number): List[] {
  const { sizes, values } = flat(v, 'boolean', v);
  const here = shape.slice(axis, axis + sizes.length);
  if (!sameShape(sizes, here))
    throw new ShapeError(
      `at: a mask must have the sizes of its axes, ${show(here)} from axis ${axis} on; got ${show(sizes)}. Correct it.`,
    );
  const found = values.flatMap((held, i) => (held ? [i] : []));
  return stridesOf(sizes).map((stride, i) => ({
    axis: at + i,
    shape: [found.length],
    values: found.map((place) => Math.floor(place / stride) % sizes[i]),
  }));
}

/** Reads an index of a tensor of shape `of`. */
export function parseIndex(index: readonly Index[], of: Shape): Parsed {
  const y: Parsed = { shape: [], strides: [], start: 0, lists: [], first: 0 };
  const strides = stridesOf(of);
  const push = (size: number, stride: number) => void (y.shape.push(size), y.strides.push(stride));
  const items = complete(index, of);
  const gathered: number[] = []; // items that are numbers or lists, which count as such if there is one list
  let [axis, before] = [0, 0];
  items.forEach((v, i) => {
    const single = typeof v === 'number';
    if (single || isList(v) || v instanceof Tensor) {
      if (gathered.length === 0) before = y.shape.length;
      gathered.push(i);
    }
    if (v === null) return push(1, 0);
    if (single) y.start += placeOf(v, axis, of[axis]) * strides[axis];
    else if (typeof v === 'string') {
      const { from, step, count } = sliceOf(v, of[axis]);
      y.start += from * strides[axis];
      push(count, step * strides[axis]);
    } else {
      const [at, count] = [y.shape.length, axesOf(v)];
      y.lists.push(...looked(v, axis, of, at));
      for (let a = axis; a < axis + count; a++) push(of[a], strides[a]);
    }
    axis += axesOf(v);
  });
  const apart = gathered.some((at, i) => at !== gathered[0] + i);
  y.first = apart ? 0 : before;
  if (y.shape.includes(0)) y.start = 0; // nothing is read
  return y;
}

/** The lists of an index that is neither a number nor a slice. */
function looked(v: Index, axis: number, of: Shape, at: number): List[] {
  if (v instanceof Tensor) {
    if (v.dtype !== 'u32')
      throw new DTypeError(
        `at: a tensor of places must be u32; got ${v.dtype} ${show(v.shape)}. For a mask use \`await mask(x, ` +
          `m)\`, for places cast().`,
      );
    return [{ axis: at, shape: v.shape, values: [], tensor: v }];
  }
  if (isMask(v)) return listsOf(v as Booleans, axis, of, at);
  if (isList(v)) return [listOf(v, axis, of[axis], at)];
  throw wrong(v);
}
