import type { Random } from './random.js';

/** Names that have meant something to some program. */
export const NAMES = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '__metadata__',
  '0',
  '-1',
  '1e3',
  'a',
  'a.b',
  '\u202egnp.exe',
  '\u0000',
  '\n',
  '\u001b[2J',
  '"',
  '\\',
  '../../etc/passwd',
  '=cmd()',
  '\ud800',
  'é',
  'e\u0301',
];

/** A value of JSON of any kind as text, in spellings that parsers must know. */
export function jsonValue(r: Random, depth = 3): string {
  const kind = r.below(depth > 0 ? 10 : 8);
  if (kind === 8) return `[${r.some(4, () => jsonValue(r, depth - 1)).join(',')}]`;
  if (kind === 9)
    return `{${r.some(4, () => `${jsonString(r, r.pick(NAMES))}:${jsonValue(r, depth - 1)}`).join(', ')}}`;
  return r.pick([
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e308',
    '1e999',
    '9007199254740993',
    '123456789012345678901234567890',
    '"F32"',
    '""',
    '[]',
    '{}',
    jsonString(r, r.pick(NAMES)),
    '['.repeat(r.below(200)),
    `${'['.repeat(300)}${']'.repeat(300)}`,
  ]);
}

/** A text in quotes, now and then spelt with escapes. */
export const jsonString = (r: Random, text: string): string =>
  r.once(4)
    ? `"${[...text].map((c) => (c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join('')}"`
    : JSON.stringify(text);

/** Text with a few letters changed, left out or doubled. */
export function spoilt(r: Random, bytes: Uint8Array): Uint8Array {
  const out = [...bytes];
  for (let n = r.below(4) + 1; n > 0 && out.length > 0; n--) {
    const at = r.below(out.length);
    const kind = r.below(4);
    if (kind === 0) out[at] = r.word() & 255;
    else if (kind === 1) out.splice(at, 1 + r.below(8));
    else if (kind === 2) out.splice(at, 0, ...out.slice(r.below(out.length), at + 1 + r.below(8)));
    else out[at] ^= 1 << r.below(8);
  }
  return Uint8Array.from(out);
}
