/** Signed distance, in pixels, from (x, y) to the edge of a motif of radius `r` centred on the origin; negative inside. */
export type Motif = (x: number, y: number, r: number) => number;

/** One motif of the drawn data set. `radius` times the square root of an area is the `r` that covers this area. */
export interface MotifClass {
  name: string;
  distance: Motif;
  radius: number;
}

const HOLE = 0.5; // inner over outer radius of a ring
const ARM = 0.34; // half width over half length of a cross's arms
const TAN60 = Math.sqrt(3);

const disc: Motif = (x, y, r) => Math.hypot(x, y) - r;

const ring: Motif = (x, y, r) => Math.abs(Math.hypot(x, y) - (r * (1 + HOLE)) / 2) - (r * (1 - HOLE)) / 2;

/** Equilateral, of circumradius r: the farthest of its three edges. */
const triangle: Motif = (x, y, r) => Math.max(-y, (TAN60 * Math.abs(x) + y) / 2) - r / 2;

/** Two crossed bars. */
const cross: Motif = (x, y, r) => {
  const [a, b] = [Math.abs(x), Math.abs(y)];
  return Math.min(Math.max(a - r, b - ARM * r), Math.max(a - ARM * r, b - r));
};

/** The four classes; all motifs of a picture cover the same area whatever its class. */
export const MOTIFS: readonly MotifClass[] = [
  { name: 'discs', distance: disc, radius: 1 / Math.sqrt(Math.PI) },
  { name: 'rings', distance: ring, radius: 1 / Math.sqrt(Math.PI * (1 - HOLE * HOLE)) },
  { name: 'triangles', distance: triangle, radius: 1 / Math.sqrt((3 * TAN60) / 4) },
  { name: 'crosses', distance: cross, radius: 1 / Math.sqrt(8 * ARM - 4 * ARM * ARM) },
];
