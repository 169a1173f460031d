import { padLeft, padRight, textWidth } from './text-width.js';

/** A table for a terminal: the first column at the left, the others at the right. */
export function textGrid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => textWidth(row[c]))));
  const pad = (cell: string, c: number) => (c === 0 ? padRight : padLeft)(cell, widths[c]);
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}
