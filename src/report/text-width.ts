/** Blocks of characters that take two columns (Unicode's East Asian Width W and F), from and to. */
const WIDE = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
] as const;

const graphemes = new Intl.Segmenter('en');
const COLOUR = /\x1b\[[\d;]*m/g;

/** Columns of what is read as one character. */
function columnsOf(grapheme: string): number {
  const code = grapheme.codePointAt(0)!;
  if (/^[\p{Cc}\p{Mn}\p{Me}\p{Cf}]/u.test(grapheme)) return 0;
  return /^\p{Emoji_Presentation}|\ufe0f/u.test(grapheme) || WIDE.some(([from, to]) => code >= from && code <= to)
    ? 2
    : 1;
}

/** Columns of a terminal that a text takes; colours take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text.replace(COLOUR, ''))) width += columnsOf(segment);
  return width;
}

/** A text without colours, cut to so many columns with an ellipsis at its end. */
export function cutText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let [cut, width] = ['', 0];
  for (const { segment } of graphemes.segment(text)) {
    width += columnsOf(segment);
    if (width >= columns) break;
    cut += segment;
  }
  return columns < 1 ? '' : `${cut}…`;
}

/** Spaces at the left, or the right, up to so many columns. */
export const padLeft = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - textWidth(text))) + text;
export const padRight = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - textWidth(text)));

/**
 * Lines of at most so many columns, broken between words; a longer word, such as a path, stays whole, and so do rows of
 * tables.
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => (/ {2}/.test(line) ? line : wrapLine(line, columns)))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  if (textWidth(line) <= columns) return line;
  const lines: string[] = [];
  let [last, width] = ['', 0];
  for (const word of line.split(' ')) {
    const own = textWidth(word);
    if (width > 0 && width + 1 + own > columns) {
      lines.push(last);
      [last, width] = [word, own];
    } else [last, width] = width > 0 ? [`${last} ${word}`, width + 1 + own] : [word, own];
  }
  return [...lines, last].join('\n');
}
