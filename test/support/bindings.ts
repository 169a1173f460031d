import { halfStored } from '../../src/gpu/f16-storage.js';
import type { Kernel } from '../../src/gpu/kernel.js';
import { Recorder, type Slice } from '../../src/gpu/recorder.js';
import { Recording } from '../../src/gpu/recording.js';

// What a driver with bounds checks asks of every dispatch, worked out from the text of its kernel: software adapters
// run a part
// of the kernels, and what threads play in place of tensor cores is another text.

interface Layout {
  size: number;
  align: number;
}

const scalars: Record<string, number> = { f32: 4, u32: 4, i32: 4, f16: 2 };
const letters: Record<string, string> = { f: 'f32', u: 'u32', i: 'i32', h: 'f16' };
const roundUp = (bytes: number, to: number) => Math.ceil(bytes / to) * to;

/** Memory of a WGSL type that buffers hold; of an array without a length, one element. */
function layoutOf(code: string, type: string): Layout {
  const t = type.replace(/\s/g, '');
  if (scalars[t]) return { size: scalars[t], align: scalars[t] };
  const atomic = /^atomic<(\w+)>$/.exec(t);
  if (atomic) return layoutOf(code, atomic[1]);
  const vec = /^vec([234])(?:<(\w+)>|([fuih]))$/.exec(t);
  if (vec) {
    const [n, of] = [Number(vec[1]), scalars[vec[2] ?? letters[vec[3]]]];
    return { size: n * of, align: (n === 3 ? 4 : n) * of };
  }
  const array = /^array<(.+?)(?:,(\w+))?>$/.exec(t);
  if (array) {
    const { size, align } = layoutOf(code, array[1]);
    return { size: roundUp(size, align) * lengthOf(code, array[2] ?? '1'), align };
  }
  const alias = new RegExp(`^alias ${t}\\s*=\\s*([^;]+);`, 'm').exec(code);
  if (alias) return layoutOf(code, alias[1]);
  const struct = new RegExp(`^struct ${t}\\s*{([^}]*)}`, 'm').exec(code);
  if (struct) return structOf(code, struct[1]);
  throw new Error(`a type of WGSL is needed; got ${type}`);
}

function structOf(code: string, body: string): Layout {
  const members = body
    .split(/,(?![^<]*>)/)
    .filter((m) => m.includes(':'))
    .map((m) => layoutOf(code, m.slice(m.indexOf(':') + 1)));
  const align = Math.max(...members.map((m) => m.align));
  return {
    size: roundUp(
      members.reduce((at, m) => roundUp(at, m.align) + m.size, 0),
      align,
    ),
    align,
  };
}

function lengthOf(code: string, text: string): number {
  const value = /^\d+/.exec(text) ?? new RegExp(`^const ${text}\\s*=\\s*(\\d+)u?;`, 'm').exec(code)?.slice(1);
  if (!value) throw new Error(`the length of an array must be a number or a constant; got ${text}`);
  return Number(value[0]);
}

/** Bytes of a matrix that tensor cores move to or from `name` in one piece, 0 where none does. */
function matrixOf(code: string, name: string): number {
  const moves = [...code.matchAll(new RegExp(`subgroupMatrix(Load|Store)<[^>]*>\\(&${name},`, 'g'))].map((m) => m[1]);
  const matrices = [...code.matchAll(/subgroup_matrix_(left|right|result)<(\w+), *(\d+), *(\d+)>/g)].filter(
    ([, kind]) => moves.includes(kind === 'result' ? 'Store' : 'Load'),
  );
  return Math.max(0, ...matrices.map(([, , type, columns, rows]) => scalars[type] * Number(columns) * Number(rows)));
}

const known = new WeakMap<Kernel, number[]>();

/**
 * Bytes that each storage binding of a kernel has at least: what its type takes, and any matrix that is moved there.
 */
export function leastBytes(k: Kernel): number[] {
  const code = k.code.replace(/\/\/.*$/gm, '');
  const bindings = code.matchAll(/@group\(0\) *@binding\(\d+\) *var<storage, *\w+> *(\w+) *: *([^;]+);/g);
  const least =
    known.get(k) ?? [...bindings].map(([, name, type]) => Math.max(layoutOf(code, type).size, matrixOf(code, name)));
  known.set(k, least);
  return least;
}

/** The value of a constant expression of WGSL. */
function constantOf(code: string, text: string, constants: Record<string, number>): number {
  const names = text.match(/\b[A-Z]\w*\b/g) ?? [];
  const numbers = names.map((name) => {
    const made = new RegExp(`^(?:const|override) ${name}(?:: \\w+)? = ([^;]+);`, 'm').exec(code)?.[1];
    if (!made) throw new Error(`a constant is needed; got ${name}`);
    const value = constants[name] ?? constantOf(code, made, constants);
    return /[=<>]=|[<>]/.test(made) ? Boolean(value) : BigInt(value);
  });
  // whole numbers, whose quotients are whole
  const whole = text.replace(/\b(\d+)u?\b(?!\w)/g, '$1n');
  const select = (no: bigint, yes: bigint, when: boolean) => (when ? yes : no);
  return Number(new Function('select', ...names, `return ${whole}`)(select, ...numbers));
}

/** The text without functions that nothing calls: memory that only they use is not asked for. */
function called(code: string): string {
  const idle = [...code.matchAll(/^fn (\w+)\([\s\S]*?(?:\}$|^\})/gm)].find(
    ([, name]) => name !== 'main' && code.split(new RegExp(`\\b${name}\\(`)).length === 2,
  );
  return idle ? called(code.replace(idle[0], '')) : code;
}

const asked = new Map<string, { threads: number; bytes: number }>();

/** Threads of a workgroup, and bytes of workgroup memory, that a kernel asks for. */
export function workgroupOf(k: Kernel, constants: Record<string, number>): { threads: number; bytes: number } {
  const key = k.name + JSON.stringify(constants);
  const code = called(k.code.replace(/\/\/.*$/gm, ''));
  const sizes = /@workgroup_size\(([^)]*)\)/.exec(code)![1].split(',');
  const arrays = [...code.matchAll(/var<workgroup> (\w+): (?:array<([^,;]+), ([^;]+)>|([^;]+));/g)].filter(
    ([, name]) => code.split(new RegExp(`\\b${name}\\b`)).length > 2,
  );
  const known = asked.get(key) ?? {
    threads: sizes.reduce((n, size) => n * constantOf(code, size.trim(), constants), 1),
    bytes: arrays.reduce(
      (n, [, , element, length, single]) =>
        n + layoutOf(code, element ?? single).size * (length ? constantOf(code, length, constants) : 1),
      0,
    ),
  };
  asked.set(key, known);
  return known;
}

/** A kernel whose tensor cores are played: what it stands for. */
export interface Played extends Kernel {
  readonly played?: Kernel;
}

/** Throws where a driver would refuse to bind `slices` to a kernel, or to what it stands for. */
export function checkBindings(k: Played, slices: readonly Slice[]): void {
  const halves = slices.reduce((mask, s, i) => ((s as { dtype?: string }).dtype === 'f16' ? mask | (1 << i) : mask), 0);
  const real = k.played ? halfStored(k.played, halves) : k;
  const wrong = (i: number, rule: string) =>
    new Error(
      `kernel ${real.name}: binding ${i} ${rule}; got bytes ${slices[i].offset} to ` +
        `${slices[i].offset + slices[i].bytes} of ${slices[i].pooled.size}`,
    );
  const least = leastBytes(real);
  if (least.length !== slices.length)
    throw new Error(`kernel ${real.name}: it must be bound to ${least.length} buffers; got ${slices.length}`);
  slices.forEach((s, i) => {
    if (s.bytes < least[i]) throw wrong(i, `must have ${least[i]} bytes at least`);
    if (s.bytes % 4 !== 0 || s.offset % 256 !== 0 || s.offset + s.bytes > s.pooled.size)
      throw wrong(i, 'must lie in its buffer, from a multiple of 256');
    const shared = slices.findIndex(
      (o, j) => j !== i && o.pooled === s.pooled && o.offset < s.offset + s.bytes && s.offset < o.offset + o.bytes,
    );
    if (real.access[i] === 'w' && shared >= 0)
      throw wrong(i, `must not be written while binding ${shared} is part of it`);
  });
}

/** From now on every dispatch of this process is checked, those of recordings too. */
function checkDispatches(): void {
  const { dispatch } = Recorder.prototype;
  Recorder.prototype.dispatch = function (k, constants, slices, params, groups) {
    if (groups > 0) checkBindings(k, slices);
    return dispatch.call(this, k, constants, slices, params, groups);
  };
  const { dispatch: write } = Recording.prototype;
  Recording.prototype.dispatch = function (d, values) {
    if (d.groups > 0) checkBindings(d.kernel, d.slices);
    return write.call(this, d, values);
  };
}

checkDispatches();
