import type { DTypeError } from '../core/errors.js';
import type { Kernel, kernel } from './kernel.js';

/** What the files that every page downloads have of this: bundlers would divide them if it were imported. */
interface Tools {
  readonly kernel: typeof kernel;
  readonly DTypeError: typeof DTypeError;
}

/**
 * The kernel with those bindings stored as f16 whose bits are set in the mask: what it reads of them becomes f32 as it
 * is loaded, what it writes is rounded as it is stored, and everything between is as before. A kernel with a tuned
 * constant `F16_<place>` says itself how it reads and writes that binding where the constant is 1.
 *
 * @throws DTypeError if the kernel reads such a binding as something else than floats, or than words that it only
 * moves.
 */
export type StoredAsF16 = (k: Kernel, mask: number) => Kernel;

export const f16Storage =
  (tools: Tools): StoredAsF16 =>
  (k, mask) => {
    if (mask === 0) return k;
    const stored = k.f16.get(mask) ?? rewrite(k, mask, tools);
    k.f16.set(mask, stored);
    return stored;
  };

const binding = (i: number) => new RegExp(`(@binding\\(${i}\\) var<storage, \\w+> (\\w+): array)<(\\w+)>`);
const f16Of: Record<string, string> = { f32: 'f16', vec2f: 'vec2<f16>', vec4f: 'vec4<f16>' };

function rewrite(k: Kernel, mask: number, { kernel, DTypeError }: Tools): Kernel {
  const stored = [...k.access].flatMap((_, i) => (mask & (1 << i) ? [i] : []));
  // What the text says itself of a binding stored as f16.
  const said = stored.filter((i) => k.code.includes(`const F16_${i} = `));
  const places = stored.filter((i) => !said.includes(i));
  const bindings = places.map((i) => binding(i).exec(k.code)!.slice(2));
  const tuning: Record<string, number> = Object.fromEntries(said.map((i) => [`F16_${i}`, 1]));
  let code = said.length ? kernel(k.file, k.source, { ...k.tuning, ...tuning }).code : k.code;
  code = code.replace(/\/\/.*$/gm, ''); // formulas look like code
  if (bindings.some(([, type]) => type === 'U'))
    code = code.replace(/^alias U = u32;/m, 'alias U = f32;').replace(/^alias U = vec4u;/m, 'alias U = vec4f;');
  bindings.forEach(([name, type], at) => {
    const float = new RegExp(`^alias ${type} = (\\w+);`, 'm').exec(code)?.[1] ?? type;
    if (!f16Of[float])
      throw new DTypeError(
        `kernel ${k.name}: only what it reads or writes as floats may be f16; got ${name}, ${type}. ` +
          `Convert the tensor with cast(x, 'f32').`,
      );
    code = converted(code.replace(binding(places[at]), `$1<${f16Of[float]}>`), name, float, f16Of[float]);
  });
  return {
    ...k,
    f16: new Map(),
    name: `${k.name}_half${stored.join('')}`,
    code: code.includes('enable f16;') ? code : `enable f16;\n${code}`,
  };
}

/** Every use of `name[…]`: read as `float`, stored as `half`. */
function converted(text: string, name: string, float: string, half: string): string {
  const inner = (part: string) => converted(part, name, float, half);
  const uses = new RegExp(`(?<![.\\w])${name}\\[`, 'g');
  let [out, at] = ['', 0];
  for (let use = uses.exec(text); use; use = uses.exec(text)) {
    const end = closing(text, uses.lastIndex);
    const element = `${name}[${inner(text.slice(uses.lastIndex, end))}]`;
    const store = /^ ?([-+*/]?)=(?!=) ?([^;]*);/.exec(text.slice(end + 1));
    const value = store && (store[1] ? `${float}(${element}) ${store[1]} (${inner(store[2])})` : inner(store[2]));
    out += text.slice(at, use.index) + (store ? `${element} = ${half}(${value});` : `${float}(${element})`);
    at = uses.lastIndex = end + 1 + (store ? store[0].length : 0);
  }
  return out + text.slice(at);
}

/** Where the bracket closes whose inside begins at `start`. */
function closing(text: string, start: number): number {
  let [at, depth] = [start, 1];
  for (; depth > 0; at++) depth += text[at] === '[' ? 1 : text[at] === ']' ? -1 : 0;
  return at - 1;
}
