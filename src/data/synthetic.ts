import { checkOptions, needed, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Rng } from '../core/rng.js';
import { roomFor } from './picture-memory.js';
import type { PictureSet, Pictures, StreamedPictures } from './picture-source.js';
import { checkIndices } from './pictures.js';
import { PATTERNS, type Pattern } from './synthetic-pattern.js';

/** Settings of synthetic pictures. */
export interface SyntheticOptions {
  /** How many pictures. */
  count: number;
  /** Height and width in pixels, 16 to 256. */
  size?: number;
  seed: number;
}

/** What stands for synthetic pictures where a path of others may stand. */
export const SYNTHETIC = 'synthetic';

/** Bytes that pictures take at most. */
const LARGEST = 2 ** 32;

type Colour = [number, number, number];

/**
 * The data set that this project makes itself: each picture is filled with one of four patterns (stripes,
 * checks, dots, rings) on a graded, noisy ground,
 * bent by gentle waves. Colours, which of ink and ground is the lighter,
 * period, place and rotation are random and follow the same law in every class, and patterns of
 * every class cover the same area: only the pattern tells the class.
 * Picture i belongs to class `i % 4` and depends on `seed`, `size` and i alone.
 */
export function syntheticPictures(options: SyntheticOptions): Pictures {
  const { set, paint } = planned('syntheticPictures', options);
  const { count, height, width } = set;
  const data = roomFor('syntheticPictures', count, height, width);
  for (let i = 0; i < count; i++) paint(i, data, i);
  return { ...set, data };
}

/** The same pictures, each made when it is asked for. */
export function streamSynthetic(options: SyntheticOptions): StreamedPictures {
  const { set, paint } = planned('streamSynthetic', options);
  const load = async (indices: ArrayLike<number>) => {
    checkIndices('streamSynthetic', set, indices);
    const data = roomFor('streamSynthetic', indices.length, set.height, set.width);
    for (let i = 0; i < indices.length; i++) paint(indices[i], data, i);
    return { data };
  };
  return { ...set, load };
}

type Paint = (index: number, data: Uint8Array, place: number) => void;

/** What is known of the pictures, and what makes one of them at its place in u8 [places, size, size, 3]. */
function planned(where: string, options: SyntheticOptions): { set: PictureSet; paint: Paint } {
  checkOptions(where, options, {
    count: needed(whole(1)),
    size: whole(16, 256),
    seed: needed(whole(-Number.MAX_SAFE_INTEGER)),
  });
  const { count, size = 32, seed } = options;
  const bytes = size * size * 3;
  if (count > LARGEST / bytes)
    throw new ConfigError(`${where}: the pictures must fit into memory; got ${count} of ${size}². Make fewer.`);
  const labels = new Uint32Array(count).map((_, i) => i % PATTERNS.length);
  const names = Array.from(labels, (c, i) => `${PATTERNS[c].name}-${i}`);
  const set = { count, height: size, width: size, labels, classes: PATTERNS.map((p) => p.name), names, skipped: [] };
  // the name of the random stream is part of the pictures
  const paint: Paint = (index, data, place) =>
    paintOne(
      data.subarray(place * bytes, (place + 1) * bytes),
      size,
      PATTERNS[labels[index]].distance,
      new Rng(seed, 'drawn', index),
    );
  return { set, paint };
}

/** One picture into `out` `[size, size, 3]`. */
function paintOne(out: Uint8Array, size: number, distance: Pattern, rng: Rng): void {
  const middle = rng.uniform(0.45, 0.55);
  const half = rng.uniform(0.2, 0.28) * (rng.below(2) === 0 ? 1 : -1); // the sign says which is lighter
  const slope = rng.uniform(-0.1, 0.1);
  const shade = rng.uniform(0, 2 * Math.PI); // the direction in which the ground is graded
  const noise = rng.uniform(0.02, 0.04);
  const ground = tint(rng, GROUND_TINT).map((v) => middle - half + v);
  const ink = tint(rng, INK_TINT).map((v) => middle + half + v);
  const period = (size / 32) * rng.uniform(5, 8);
  const wave = waves(rng, size);
  const angle = rng.uniform(0, 2 * Math.PI);
  const [x0, y0] = [rng.uniform(0.25, 0.75) * size, rng.uniform(0.25, 0.75) * size];
  for (let y = 0, at = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [x + 0.5 - x0 + wave[0](y), y + 0.5 - y0 + wave[1](x)];
      const d = distance(
        dx * Math.cos(angle) + dy * Math.sin(angle),
        dy * Math.cos(angle) - dx * Math.sin(angle),
        period,
      );
      const cover = Math.min(1, Math.max(0, 0.5 - d)); // one pixel of soft edge
      const tone = slope * 2 * ((x / size - 0.5) * Math.cos(shade) + (y / size - 0.5) * Math.sin(shade));
      const grain = noise * 2 * (rng.uniform() + rng.uniform() + rng.uniform() - 1.5);
      for (let c = 0; c < 3; c++, at++) {
        const v = ground[c] + (ink[c] - ground[c]) * cover + tone + grain;
        out[at] = Math.min(255, Math.max(0, Math.round(255 * v)));
      }
    }
}

/**
 * Two smooth shifts, of columns and of rows, that bend a pattern by up to half a period and leave it the same up close.
 */
function waves(rng: Rng, size: number): [(v: number) => number, (v: number) => number] {
  const wave = () => {
    const [height, length, phase] = [
      (size / 32) * rng.uniform(3, 5),
      size * rng.uniform(0.5, 1),
      rng.uniform(0, 2 * Math.PI),
    ];
    return (v: number) => height * Math.sin((2 * Math.PI * v) / length + phase);
  };
  return [wave(), wave()];
}

const GROUND_TINT = 0.02;
const INK_TINT = 0.02;

/** A random colour direction of about no lightness and at most `strength`. */
function tint(rng: Rng, strength: number): Colour {
  const angle = rng.uniform(0, 2 * Math.PI);
  const length = rng.uniform(0, strength);
  return [0, 2, 4].map((k) => length * Math.cos(angle + (k * Math.PI) / 3)) as Colour;
}
