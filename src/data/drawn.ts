import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { MOTIFS } from './motif.js';
import type { MotifClass } from './motif.js';
import type { Pictures } from './pictures.js';

/** Settings of the drawn data set. */
export interface DrawOptions {
  /** How many pictures. */
  count: number;
  /** Height and width in pixels, 16 to 256. */
  size?: number;
  seed: number;
}

type Colour = [number, number, number];

/** One copy of the motif: its centre, rotation, radius and colour. */
interface Spot {
  x: number;
  y: number;
  cos: number;
  sin: number;
  radius: number;
  ink: Colour;
}

/**
 * The data set this project draws itself: each picture is filled with copies of one of four motifs
 * (discs, rings, triangles, crosses) on a graded, noisy ground. Colours, which of ink and ground is
 * the lighter, sizes, places and rotations are random and follow the same law in every class, and
 * motifs of every class cover the same area: only the shape tells the class.
 * Picture i belongs to class `i % 4` and depends on `seed`, `size` and i alone.
 */
export function drawPictures({ count, size = 32, seed }: DrawOptions): Pictures {
  if (!Number.isInteger(count) || count < 1)
    throw new ConfigError(`drawPictures: the count is a whole number above 0; got ${count}. Ask for at least one picture.`);
  if (!Number.isInteger(size) || size < 16 || size > 256)
    throw new ConfigError(`drawPictures: the size is a whole number in [16, 256]; got ${size}. Use 32.`);
  const bytes = size * size * 3;
  const data = new Uint8Array(count * bytes);
  const labels = Uint32Array.from({ length: count }, (_, i) => i % MOTIFS.length);
  for (let i = 0; i < count; i++)
    drawOne(data.subarray(i * bytes, (i + 1) * bytes), size, MOTIFS[labels[i]], new Rng(seed, 'drawn', i));
  const names = Array.from(labels, (c, i) => `${MOTIFS[c].name}-${i}`);
  return { data, count, height: size, width: size, labels, classes: MOTIFS.map((m) => m.name), names, skipped: [] };
}

/** One picture into `out` `[size, size, 3]`. */
function drawOne(out: Uint8Array, size: number, motif: MotifClass, rng: Rng): void {
  const middle = rng.uniform(0.4, 0.6);
  const half = rng.uniform(0.2, 0.29) * (rng.below(2) === 0 ? 1 : -1); // the sign says which is lighter
  const slope = rng.uniform(-0.06, 0.06);
  const [hue, noise, angle] = [tint(rng, GROUND_TINT), rng.uniform(0.02, 0.03), rng.uniform(0, 2 * Math.PI)];
  const spots = scatter(rng, size, motif, middle + half);
  for (let y = 0, at = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const tone = slope * 2 * ((x / size - 0.5) * Math.cos(angle) + (y / size - 0.5) * Math.sin(angle));
      const { cover, ink } = topmost(motif, spots, x + 0.5, y + 0.5);
      const grain = noise * 2 * (rng.uniform() + rng.uniform() + rng.uniform() - 1.5);
      for (let c = 0; c < 3; c++, at++) {
        const ground = middle - half + tone + hue[c];
        out[at] = Math.min(255, Math.max(0, Math.round(255 * (ground + (ink[c] - ground) * cover + grain))));
      }
    }
}

/** The nearest motif's colour, and how much of the pixel at (x, y) it covers, 0..1: one pixel of soft edge. */
function topmost(motif: MotifClass, spots: readonly Spot[], x: number, y: number): { cover: number; ink: Colour } {
  let least = Infinity;
  let ink: Colour = [0, 0, 0];
  for (const s of spots) {
    const [dx, dy] = [x - s.x, y - s.y];
    const d = motif.distance(dx * s.cos + dy * s.sin, dy * s.cos - dx * s.sin, s.radius);
    if (d < least) [least, ink] = [d, s.ink];
  }
  return { cover: Math.min(1, Math.max(0, 0.5 - least)), ink };
}

/** Copies that keep their distance, filling the picture up to its edges. The first always finds a place. */
function scatter(rng: Rng, size: number, motif: MotifClass, lightness: number): Spot[] {
  const side = (size / 32) * rng.uniform(6.6, 8.8); // of the square whose area a motif covers, in pixels
  const spots: Spot[] = [];
  for (let tries = 0; tries < TRIES; tries++) {
    const [x, y, angle] = [rng.uniform(0, size), rng.uniform(0, size), rng.uniform(0, 2 * Math.PI)];
    if (spots.some((s) => Math.hypot(s.x - x, s.y - y) < 1.4 * side)) continue;
    const radius = motif.radius * side * rng.uniform(0.88, 1.12);
    const colour = tint(rng, INK_TINT);
    const level = lightness + rng.uniform(-0.04, 0.04);
    spots.push({ x, y, cos: Math.cos(angle), sin: Math.sin(angle), radius, ink: colour.map((v) => level + v) as Colour });
  }
  return spots;
}

const TRIES = 60;
const GROUND_TINT = 0.04;
const INK_TINT = 0.2;

/** A random colour direction of about no lightness and at most `strength`. */
function tint(rng: Rng, strength: number): Colour {
  const angle = rng.uniform(0, 2 * Math.PI);
  const length = rng.uniform(0, strength);
  return [0, 2, 4].map((k) => length * Math.cos(angle + (k * Math.PI) / 3)) as Colour;
}
