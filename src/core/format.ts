import type { TypedArray } from './dtype.js';
import type { Shape } from './shape.js';

/** Places shown at each end of an axis that is cut, and the values from which axes are: as PyTorch has it. */
const EDGE = 3;
const MOST = 1000;
const LINE = 80;

/**
 * Values of a tensor as nested rows, as PyTorch prints them: columns align, and of more than 1000 values the middle is
 * cut.
 */
export function formatValues(values: TypedArray, shape: Shape): string {
  const cut = values.length > MOST;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, d) => n * d, 1));
  const places = shape.map((n) => {
    const all = Array.from({ length: n }, (_, i) => i);
    return cut && n > 2 * EDGE ? [...all.slice(0, EDGE), -1, ...all.slice(-EDGE)] : all;
  });
  const offsets = places.reduce<number[]>(
    (at, axis, i) => at.flatMap((offset) => axis.filter((p) => p >= 0).map((p) => offset + p * strides[i])),
    [0],
  );
  const write = formatOf(values.length > 0 ? offsets.map((i) => values[i]) : [], values);
  const width = Math.max(0, ...offsets.map((i) => (i in values ? write(values[i]).length : 0)));
  const rows = (axis: number, offset: number): string => {
    if (axis === shape.length) return write(values[offset]).padStart(width);
    const parts = places[axis].map((i) => (i < 0 ? '…' : rows(axis + 1, offset + i * strides[axis])));
    const indent = ' '.repeat(axis + 1);
    const deeper = shape.length - axis - 1;
    return `[${deeper > 0 ? parts.join(`,${'\n'.repeat(deeper)}${indent}`) : inLines(parts, width, indent)}]`;
  };
  return rows(0, 0);
}

/** The values of a row, over as many lines as they take. */
function inLines(parts: readonly string[], width: number, indent: string): string {
  const each = Math.max(1, Math.floor((LINE - indent.length) / (width + 2)));
  const lines = Array.from({ length: Math.ceil(parts.length / each) }, (_, i) =>
    parts.slice(i * each, (i + 1) * each).join(', '),
  );
  return lines.join(`,\n${indent}`);
}

/** How the numbers of a tensor are written: all as whole ones, with four digits, or with exponents. */
function formatOf(shown: readonly number[], { constructor: type }: TypedArray): (v: number) => string {
  if (type !== Float32Array && type !== Float64Array) return String;
  const finite = shown.filter(Number.isFinite);
  const sizes = finite.filter((v) => v !== 0).map(Math.abs);
  const [least, most] = [sizes.reduce((a, b) => Math.min(a, b), Infinity), sizes.reduce((a, b) => Math.max(a, b), 0)];
  const whole = finite.every(Number.isInteger);
  const scientific = most > 1000 * least || most > 1e8 || (!whole && least < 1e-4);
  const exponent = (v: number) => v.toExponential(4).replace(/e([+-])(\d)$/, 'e$10$2');
  return (v) => (!Number.isFinite(v) ? String(v) : scientific ? exponent(v) : whole ? `${v}.` : v.toFixed(4));
}
