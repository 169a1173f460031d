import { ConfigError } from '../core/errors.js';
import { library } from './library.js';

/** Values for a kernel's `const NAME = 4u; // @tune` lines, which size what an `override` cannot. */
export type Tuning = Readonly<Record<string, number>>;

/**
 * Turns a kernel file into plain WGSL. `#import "name"` inserts a library file; `// @tune` constants take their tuned
 * values; `#if NAME` … `#else` … `#endif` keeps the first lines where the tuned constant NAME is not 0 and the second
 * where it is; `#for i in 0..4` … `#end` repeats its lines with `$i` replaced (a one-letter name; the end may be a
 * tuned constant). Blocks nest.
 */
export function preprocess(name: string, source: string, tuning: Tuning = {}): string {
  const lines = tuned(name, imported(name, source), tuning).split('\n');
  return expand(name, lines, 0, lines.length).join('\n');
}

const imported = (name: string, source: string): string =>
  source.replace(/^#import "(\w+)".*$/gm, (_, file: string) => {
    if (!library[file])
      throw new ConfigError(
        `kernel ${name}: #import names a file of kernels/lib; got "${file}". Known: ` +
          `${Object.keys(library).join(', ')}.`,
      );
    return library[file];
  });

/** Sets the `// @tune` constants and writes their values into `#for` and `#if` lines. */
function tuned(name: string, source: string, tuning: Tuning): string {
  let text = source;
  for (const key of Object.keys(tuning))
    if (!new RegExp(`^const ${key} = \\d+u; // @tune`, 'm').test(text))
      throw new ConfigError(
        `kernel ${name}: tuning sets a \`const … // @tune\` line; got ${key}. Add the line or drop the name.`,
      );
  for (const [line, key, value] of source.matchAll(/^const (\w+) = (\d+)u; \/\/ @tune/gm)) {
    const v = tuning[key] ?? Number(value);
    text = text
      .replace(line, `const ${key} = ${v}u; // @tune`)
      .replace(new RegExp(`^(\\s*#(?:for \\w in \\d+\\.\\.|if ))${key}$`, 'gm'), `$1${v}`);
  }
  return text;
}

function expand(name: string, lines: string[], from: number, to: number): string[] {
  const out: string[] = [];
  for (let i = from; i < to; i++) {
    const loop = /^\s*#for (\w) in (\d+)\.\.(\d+)\s*$/.exec(lines[i]);
    const choice = /^\s*#if (\w+)\s*$/.exec(lines[i]);
    if (loop) {
      const { end } = blockOf(name, lines, i, to);
      const body = expand(name, lines, i + 1, end);
      const mark = new RegExp(`\\$${loop[1]}`, 'g');
      for (let v = Number(loop[2]); v < Number(loop[3]); v++) out.push(...body.map((l) => l.replace(mark, String(v))));
      i = end;
    } else if (choice) {
      if (!/^\d+$/.test(choice[1]))
        throw new ConfigError(
          `kernel ${name}: #if must name a tuned constant; got ${choice[1]}. Add its \`// @tune\` line.`,
        );
      const { end, other } = blockOf(name, lines, i, to);
      out.push(...(Number(choice[1]) ? expand(name, lines, i + 1, other) : expand(name, lines, other + 1, end)));
      i = end;
    } else out.push(lines[i]);
  }
  return out;
}

/** Where the block that starts at a line ends, and where its `#else` stands (at the end where it has none). */
function blockOf(name: string, lines: string[], start: number, to: number): { end: number; other: number } {
  const kinds: string[] = [];
  let other: number | undefined;
  for (let i = start; i < to; i++) {
    const word = /^\s*#(for|if|else|endif|end)\b/.exec(lines[i])?.[1];
    if (word === 'for' || word === 'if') kinds.push(word);
    else if (word === 'else' && kinds.length === 1) other = i;
    else if ((word === 'end' || word === 'endif') && kinds.pop() !== (word === 'end' ? 'for' : 'if')) break;
    if (kinds.length === 0) return { end: i, other: other ?? i };
  }
  const rule = 'every #for must have its #end and every #if its #endif';
  throw new ConfigError(`kernel ${name}: ${rule}; got none for line ${start + 1}. Add it.`);
}
