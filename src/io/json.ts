import { isPlain } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { visibleName } from '../core/visible.js';

const DEPTH = 64; // of objects and lists in each other; configurations and headers have a few
const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, BEGIN, END] = [...'"\\,{}[]'].map((c) => c.charCodeAt(0));

/**
 * The value of a text of JSON. Unlike JSON.parse, which keeps the last of two values of one name, it takes an object
 * only if each of its names stands there once. @throws SyntaxError for other text, and for nesting deeper than 64.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkNames(text);
  return value;
}

/**
 * The objects of a text of JSON lines. A line that a crash cut off is no JSON, and left out.
 * @throws FormatError for a line that holds another value, or a name twice.
 */
export function* objectsIn(lines: string, where: string): Generator<Record<string, unknown>> {
  const refuse = (got: string): never => {
    throw new FormatError(`${where}: each line must be an object, each name once; got ${got}. Take the line out.`);
  };
  for (const line of lines.split('\n')) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    if (!isPlain(value)) refuse(`'${visibleName(line, 80)}'`);
    try {
      checkNames(line);
    } catch (error) {
      refuse((error as Error).message);
    }
    yield value as Record<string, unknown>;
  }
}

/** Walks through sound JSON: the names so far of each object that is open, and nothing for a list. */
function checkNames(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let named = false; // whether the next string is a name
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) {
      const end = endOfString(text, at);
      if (named) addName(open.at(-1)!, text.slice(at, end + 1));
      named = false;
      at = end;
    } else if (c === OPEN || c === BEGIN) {
      if (open.length === DEPTH) throw new SyntaxError(`more than ${DEPTH} objects and lists in each other`);
      open.push(c === OPEN ? new Set() : undefined);
      named = c === OPEN;
    } else if (c === CLOSE || c === END) open.pop();
    else if (c === COMMA) named = open.at(-1) !== undefined;
  }
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

function addName(names: Set<string>, quoted: string): void {
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  if (names.has(name)) throw new SyntaxError(`the name ${JSON.stringify(name.slice(0, 80))} twice`);
  names.add(name);
}
