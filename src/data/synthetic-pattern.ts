/**
 * Signed distance, in pixels, from (x, y) to the edge of a pattern of the given period, centred on the
 * origin; negative inside. Inside and outside cover the same area, whatever the pattern.
 */
export type Pattern = (x: number, y: number, period: number) => number;

/** Distance of `v` from the middle of its period, in pixels: 0 … period / 2. */
const fold = (v: number, period: number): number => Math.abs(v / period - Math.floor(v / period) - 0.5) * period;

const stripes: Pattern = (x, _, period) => fold(x, period) - period / 4;

const checks: Pattern = (x, y, period) => {
  const [a, b] = [fold(x, period) - period / 4, fold(y, period) - period / 4];
  return Math.max(Math.min(a, b), Math.min(-a, -b));
};

const dots: Pattern = (x, y, period) => Math.hypot(fold(x, period), fold(y, period)) - period / Math.sqrt(2 * Math.PI);

const rings: Pattern = (x, y, period) => fold(Math.hypot(x, y), period) - period / 4;

/** The four classes. */
export const PATTERNS: readonly { name: string; distance: Pattern }[] = [
  { name: 'stripes', distance: stripes },
  { name: 'checks', distance: checks },
  { name: 'dots', distance: dots },
  { name: 'rings', distance: rings },
];
