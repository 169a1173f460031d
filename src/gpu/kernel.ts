import { ConfigError } from '../core/errors.js';
import { preprocess, type Tuning } from './preprocess.js';

/** A value of a kernel's `Params` struct: a number, or up to eight for `array<vec4u, 2>`. */
export type ParamValue = number | readonly number[];

interface Field {
  name: string;
  kind: 'u32' | 'i32' | 'f32';
  /** Byte offset in the uniform block. */
  offset: number;
  /** Scalars it holds. */
  length: number;
}

/** A WGSL file read once: its text, its storage bindings in order and the layout of its `Params`. */
export interface Kernel {
  readonly name: string;
  /** What it was made of. */
  readonly file: string;
  readonly source: string;
  readonly tuning: Tuning;
  readonly code: string;
  /** One letter a storage binding: `r` read, `w` read_write. */
  readonly access: string;
  readonly fields: readonly Field[];
  readonly paramBytes: number;
  /** The same with some bindings stored as f16, by the bits of their places. */
  readonly f16: Map<number, Kernel>;
}

/** Bytes reserved for the parameters of one dispatch. */
export const PARAM_SLOT = 256;

/**
 * Reads a kernel file, with values for its `// @tune` constants. Called once a variant, where the operation is defined.
 */
export function kernel(file: string, source: string, tuning: Tuning = {}): Kernel {
  const name = [file, ...Object.entries(tuning).map(([k, v]) => `${k}${v}`)].join('_');
  const code = preprocess(file, source, tuning);
  const bindings = [...code.matchAll(/@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)>/g)];
  bindings.forEach((b, i) => {
    if (Number(b[1]) !== i)
      throw new ConfigError(
        `kernel ${name}: storage bindings are numbered from 0 in order; got ${b[1]} at place ${i}. Renumber them.`,
      );
  });
  const access = bindings.map((b) => (b[2] === 'read' ? 'r' : 'w')).join('');
  return {
    name,
    file,
    source,
    tuning,
    code: withParamsAt(code, bindings.length),
    access,
    ...paramsOf(name, code),
    f16: new Map(),
  };
}

/**
 * Params move from a group of their own to the place after the storage buffers: one bind group a dispatch is set faster
 * than two.
 */
const withParamsAt = (code: string, place: number): string =>
  code.replace('@group(1) @binding(0)', `@group(0) @binding(${place})`);

function paramsOf(name: string, code: string): { fields: Field[]; paramBytes: number } {
  const body = /struct Params \{([^}]*)\}/.exec(code)?.[1].replace(/\/\/.*$/gm, '');
  const fields: Field[] = [];
  let at = 0;
  for (const entry of body?.split(/,(?![^<]*>)/) ?? []) {
    const [field, type] = entry.split(':').map((s) => s.trim());
    if (!field) continue;
    const vec = /^(?:vec4([uif])|array<vec4([uif]), ?(\d)>)$/.exec(type);
    if (!vec && !/^[uif]32$/.test(type))
      throw new ConfigError(
        `kernel ${name}: Params holds u32, i32, f32, vec4 and array<vec4, N>; got ${field}: ${type}. Use one of these.`,
      );
    if (vec) at = Math.ceil(at / 16) * 16;
    const kind = (vec ? `${vec[1] ?? vec[2]}32` : type) as Field['kind'];
    const length = vec ? 4 * Number(vec[3] ?? 1) : 1;
    fields.push({ name: field, kind, offset: at, length });
    at += 4 * length;
  }
  if (at > PARAM_SLOT)
    throw new ConfigError(
      `kernel ${name}: Params takes at most ${PARAM_SLOT} bytes; got ${at}. Move the rest into a buffer.`,
    );
  return { fields, paramBytes: Math.ceil(at / 16) * 16 };
}

/** Writes `params` into the slot at byte `at` of `block`, checking that every field is given. */
export function packParams(k: Kernel, params: Record<string, ParamValue>, block: DataView, at: number): void {
  for (const f of k.fields) {
    const value = params[f.name];
    if (value === undefined)
      throw new ConfigError(`kernel ${k.name}: every field of Params is set; got no ${f.name}. Pass it.`);
    for (let i = 0; i < f.length; i++) {
      const v = typeof value === 'number' ? value : (value[i] ?? 0);
      const to = at + f.offset + 4 * i;
      if (f.kind === 'f32') block.setFloat32(to, v, true);
      else if (f.kind === 'i32') block.setInt32(to, v, true);
      else block.setUint32(to, v, true);
    }
  }
}
