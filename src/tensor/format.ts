import type { TypedArray } from '../core/dtype.js';
import type { Shape } from '../core/shape.js';

/** Rows and columns shown at each end of an axis that is cut short, and the size from which it is. */
const EDGE = 3;
const LONG = 8;

/** Values of a tensor as nested rows, long axes cut in the middle: `[[1.5, 2], [3, 4]]` over lines, columns aligned. */
export function formatValues(values: TypedArray, shape: Shape): string {
  const shown = (n: number): number[] => {
    const all = Array.from({ length: n }, (_, i) => i);
    return n <= LONG ? all : [...all.slice(0, EDGE), -1, ...all.slice(-EDGE)];
  };
  const cells: string[] = [];
  const rows = (axis: number, offset: number): string => {
    if (axis === shape.length) return cells[cells.push(formatNumber(values[offset])) - 1];
    const stride = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
    const parts = shown(shape[axis]).map((i) => (i < 0 ? '…' : rows(axis + 1, offset + i * stride)));
    const inner = axis === shape.length - 1;
    return `[${parts.join(inner ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`;
  };
  const text = rows(0, 0);
  const width = Math.max(0, ...cells.map((c) => c.length));
  return text.replace(/[^[\],\s…]+/g, (cell) => cell.padStart(width));
}

/** At most five significant digits. */
function formatNumber(v: number): string {
  if (Number.isInteger(v) && Math.abs(v) < 1e7) return String(v);
  const size = Math.abs(v);
  return size >= 1e-4 && size < 1e6 ? String(Number(v.toPrecision(5))) : v.toExponential(3);
}
