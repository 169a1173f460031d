import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A name of WGSL, whole also where `#for` puts numbers into it; not a member, an attribute or the end of a number. */
export const names = /(?<![\w$.@])[A-Za-z_][\w$]*/g;

const declared = /\b(?:let|const|var(?:<[^>]*>)?|fn)\s+(\w+)|[(),]\s*(\w+):/g;
/** What loading or the host knows by name: members, overrides, `// @tune` constants, bindings. */
const known =
  /\.([A-Za-z_]\w*)|\boverride (\w+)|^const (\w+) = \d+u; \/\/ @tune|@binding\(\d+\) var<[^>]*> (\w+)|\bfn (main)\b/gm;

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const short = [...letters, ...letters.flatMap((a) => letters.map((b) => a + b))].filter(
  (n) => !['as', 'do', 'fn', 'if', 'of'].includes(n),
); // words of WGSL

const uncommented = (file: string): string => readFileSync(file, 'utf8').replace(/\/\/(?! @tune).*$/gm, '');
const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap((m) => m.slice(1).filter((n) => n !== undefined));

/** Every kernel of a folder with all that it may import. */
function wholeKernels(folder: string): string[] {
  const library = (name: string): string => uncommented(join(folder, 'lib', `${name}.wgsl`));
  const files = readdirSync(folder)
    .filter((f) => f.endsWith('.wgsl'))
    .sort();
  return files.map((f) =>
    uncommented(join(folder, f)).replace(
      /^#import "(\w+)"/gm,
      (_, name) => library(name) + (name === 'single' ? library('vec4') : ''),
    ),
  );
}

/**
 * Short names for what the kernels of a folder declare for themselves: functions, constants, variables and parameters.
 * A name becomes the same in all kernels, as they share texts, and no two names of one kernel become the same.
 */
export function shortNames(folder: string): Map<string, string> {
  const kernels = wholeKernels(folder).map((text) => ({
    text,
    here: new Set(text.match(names)),
    own: new Set(found(text, declared)),
  }));
  const fields = kernels.flatMap(({ text }) =>
    (text.match(/\bstruct \w+ \{[^}]*\}/g) ?? []).flatMap((struct) => found(struct, /(\w+)\s*:/g)),
  );
  const kept = new Set([...kernels.flatMap(({ text }) => found(text, known)), ...fields]);
  const uses = new Map<string, number>();
  for (const { text } of kernels) for (const [name] of text.matchAll(names)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const long = [...uses.keys()]
    .filter((n) => !kept.has(n) && kernels.every(({ here, own }) => !here.has(n) || own.has(n)))
    .sort((a, b) => uses.get(b)! - uses.get(a)!);
  const taken = kernels.map(({ here }) => new Set([...here].filter((n) => !long.includes(n))));
  return new Map(
    long.map((name) => {
      const among = taken.filter((_, i) => kernels[i].here.has(name));
      const free = short.find((n) => among.every((t) => !t.has(n)))!;
      for (const t of among) t.add(free);
      return [name, free];
    }),
  );
}
