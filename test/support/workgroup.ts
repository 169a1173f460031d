import type { Kernel } from '../../src/gpu/kernel.js';

const select = (no: number, yes: number, when: boolean | number) => (when ? yes : no);

/** What a kernel asks of a workgroup, worked out from its text: threads, and bytes of workgroup memory. */
export function workgroupOf({ code }: Kernel, constants: Readonly<Record<string, number>> = {}) {
  const text = code.replace(/\/\/.*$/gm, '');
  const value = (expression: string): number => {
    const numbers = expression.replace(/(\d+)[uif]\b/g, '$1').replace(/[A-Za-z_]\w*/g, (name) => {
      if (name === 'u32' || name === 'i32') return '';
      if (name === 'select') return name;
      const named = constants[name] ?? definition(name);
      return `(${named})`;
    });
    if (!/^(?:[\d+\-*/%() .,<>=&|]|select)+$/.test(numbers))
      throw new Error(`a sum of numbers is needed; got ${expression}`);
    return Math.trunc(Number(new Function('select', `return ${numbers}`)(select)));
  };
  const definition = (name: string): number => {
    const found = new RegExp(`(?:const|override) ${name}\\s*(?::\\s*\\w+)?\\s*=\\s*([^;]+);`).exec(text);
    if (!found) throw new Error(`a constant is needed; got ${name}`);
    return value(found[1]);
  };
  const sizes: Record<string, number> = {
    f32: 4,
    u32: 4,
    i32: 4,
    f16: 2,
    vec2f: 8,
    vec4f: 16,
    vec4u: 16,
    vec4i: 16,
    vec4h: 8,
    vec2h: 4,
  };
  const sizeOf = (type: string): number => {
    const t = type.replace(/\s/g, '');
    const array = /^array<(.+),([^,]+)>$/.exec(t);
    if (array) return sizeOf(array[1]) * value(array[2]);
    const vec = /^vec([234])<(\w+)>$/.exec(t);
    if (vec) return (vec[1] === '3' ? 4 : Number(vec[1])) * sizes[vec[2]];
    const atomic = /^atomic<(\w+)>$/.exec(t);
    const alias = new RegExp(`^\\s*alias ${t}\\s*=\\s*([^;]+);`, 'm').exec(text);
    const size = sizes[atomic?.[1] ?? t] ?? (alias ? sizeOf(alias[1]) : undefined);
    if (size === undefined) throw new Error(`a type of WGSL is needed; got ${type}`);
    return size;
  };
  const sides = /@workgroup_size\(([^)]*)\)/
    .exec(text)![1]
    .split(',')
    .filter((s) => s.trim());
  const used = reachable(text.replace(/var<workgroup>[^;]*;/g, ''));
  const memory = [...text.matchAll(/var<workgroup>\s*(\w+)\s*:\s*([^;]+);/g)]
    .filter(([, name]) => new RegExp(`\\b${name}\\b`).test(used))
    .map(([, , type]) => sizeOf(type));
  return {
    threads: sides.reduce((product, side) => product * value(side), 1),
    bytes: memory.reduce((sum, bytes) => sum + Math.ceil(bytes / 16) * 16, 0),
  };
}

/** The functions that the entry point calls, itself included: what they do not name takes no memory. */
function reachable(text: string): string {
  const functions = new Map(
    text
      .split(/(?=\bfn \w+)/)
      .slice(1)
      .map((body) => [/^fn (\w+)/.exec(body)![1], body]),
  );
  const reached = new Set(['main']);
  for (const name of reached)
    for (const [other] of functions)
      if (new RegExp(`\\b${other}\\(`).test(functions.get(name) ?? '')) reached.add(other);
  return [...reached].map((name) => functions.get(name)).join('');
}
