import { check, isRecord, listOf, type Rule, shown, text, upTo1, whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { Rng } from '../core/rng.js';
import { checkPictures } from './check.js';
import { roomFor } from './picture-memory.js';
import {
  inMemory,
  type PictureSet,
  type PictureSource,
  type Pictures,
  type Pixels,
  type StreamedPictures,
} from './picture-source.js';

const anySeed = whole(-Number.MAX_SAFE_INTEGER);
const size = whole(1);

const arePixels: Rule = {
  is: 'an object of data, height and width, or of data and places',
  holds: (v) =>
    isRecord(v) &&
    v.data instanceof Uint8Array &&
    (v.places === undefined ? size.holds(v.height) && size.holds(v.width) : v.places instanceof Uint32Array),
};

/** One of the pictures of a set, u8 [height, width, 3]. */
export function pictureAt(
  of: Pixels & Pick<PictureSet, 'height' | 'width'>,
  index: number,
): { data: Uint8Array; height: number; width: number } {
  check('pictureAt', 'the pictures', of, arePixels, 'Take them from a data set.');
  const { data, places, ...all } = of;
  check(
    'pictureAt',
    'the index',
    index,
    whole(0, (places ? places.length / 3 : data.length / (3 * all.height * all.width)) - 1),
    'Name a picture the set has.',
  );
  const [first, height, width] = places
    ? places.subarray(3 * index, 3 * index + 3)
    : [index * all.height * all.width, all.height, all.width];
  return { data: data.subarray(3 * first, 3 * (first + height * width)), height, width };
}

/** The rows of `places` of some pictures, where pictures have shapes of their own. */
export const placeRows = ({ places }: Pick<Pixels, 'places'>, indices: ArrayLike<number>): Uint32Array | undefined =>
  places &&
  Uint32Array.from({ length: 3 * indices.length }, (_, i) => places[3 * indices[Math.floor(i / 3)] + (i % 3)]);

/**
 * The pictures at `indices`, in that order: copied, or of a streamed set to be decoded when they are asked for.
 * `skipped` describes the source and stays.
 */
export function subset<S extends PictureSource>(p: S, indices: ArrayLike<number>): S {
  checkPictures('subset', p);
  checkIndices('subset', p, indices);
  const names = new Array<string>(indices.length);
  for (let i = 0; i < indices.length; i++) names[i] = p.names[indices[i]];
  const labels = p.labels && valuesAt(p.labels, indices);
  const about = { ...p, count: indices.length, names, ...(labels && { labels }) };
  if (inMemory(p)) return { ...about, ...copyPictures(p, indices) };
  const load: StreamedPictures['load'] = async (places, signal) => {
    checkIndices('load', about, places);
    return p.load(valuesAt(indices, places), signal);
  };
  return { ...about, load };
}

/** Some of the values, in the order of `indices`. */
function valuesAt(values: ArrayLike<number>, indices: ArrayLike<number>): Uint32Array {
  const some = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) some[i] = values[indices[i]];
  return some;
}

/** The pixels of the pictures at `indices`, copied. */
export function copyPictures(p: Pictures, indices: ArrayLike<number>): Pixels {
  const places = new Uint32Array(3 * indices.length);
  let pixels = 0;
  for (let i = 0; i < indices.length; i++) {
    const { height, width } = pictureAt(p, indices[i]);
    places.set([pixels, height, width], 3 * i);
    pixels += height * width;
  }
  const data = p.places ? new Uint8Array(3 * pixels) : roomFor('subset', indices.length, p.height, p.width);
  for (let i = 0; i < indices.length; i++) data.set(pictureAt(p, indices[i]).data, 3 * places[3 * i]);
  return { data, ...(p.places && { places }) };
}

/** Throws unless the set has a picture for each of `indices`. */
export function checkIndices(where: string, { count }: PictureSet, indices: ArrayLike<number>): void {
  check(where, 'the indices', indices, {
    is: 'a list of whole numbers',
    holds: (v) => Array.isArray(v) || (ArrayBuffer.isView(v) && !(v instanceof DataView)),
  });
  for (let i = 0; i < indices.length; i++)
    if (!(Number.isInteger(indices[i]) && indices[i] >= 0 && indices[i] < count))
      throw new ConfigError(
        `${where}: an index must lie in [0, ${count - 1}]; got ${shown(indices[i])}. Name pictures the set has.`,
      );
}

/**
 * Splits off a held-out part of `fraction` in [0, 1], at random but the same for the same `seed`.
 * Labelled pictures are split class by class: each class gives its share, off by less than one
 * picture, and the whole is `round(fraction * count)`. Both parts keep the order of the source.
 */
export function splitHeldOut<S extends PictureSource>(p: S, fraction: number, seed: number): { train: S; heldOut: S } {
  checkPictures('splitHeldOut', p);
  const [train, heldOut] = heldOutPlaces(p, fraction, seed);
  return { train: subset(p, train), heldOut: subset(p, heldOut) };
}

/** The indices of the pictures that `splitHeldOut` keeps and of those that it holds out. */
export function heldOutPlaces(
  p: Pick<PictureSet, 'count' | 'labels' | 'classes'>,
  fraction: number,
  seed: number,
): [train: Uint32Array, heldOut: Uint32Array] {
  check('splitHeldOut', 'the fraction', fraction, upTo1, 'Use 0.1 to hold out a tenth.');
  check('splitHeldOut', 'the seed', seed, anySeed);
  const held = new Uint8Array(p.count);
  let [seen, taken] = [0, 0];
  byClass(p).forEach((members, c) => {
    const take = Math.round(fraction * (seen + members.length)) - Math.round(fraction * seen);
    seen += members.length;
    for (const i of draw(members, take, seed, 'heldOut', c)) held[i] = 1;
    taken += take;
  });
  const parts: [Uint32Array, Uint32Array] = [new Uint32Array(p.count - taken), new Uint32Array(taken)];
  for (let i = 0, at = [0, 0]; i < p.count; i++) parts[held[i]][at[held[i]]++] = i;
  return parts;
}

/** The pictures of the classes called `names`; labels are numbered anew in the order of `names`. */
export function selectClasses<S extends PictureSource>(p: S, names: readonly string[]): S {
  checkPictures('selectClasses', p);
  checkClasses('selectClasses', (p.labels && p.classes) ?? [], names);
  const to = new Map(names.map((name, i) => [p.classes!.indexOf(name), i]));
  const chosen: number[] = [];
  for (let i = 0; i < p.count; i++) if (to.has(p.labels![i])) chosen.push(i);
  const out = subset(p, chosen);
  return { ...out, classes: [...names], labels: out.labels!.map((l) => to.get(l)!) };
}

/**
 * At most `n` pictures of each class (of the whole set if it is unlabelled), at random by `seed`, in the order of the
 * source.
 */
export function limitPerClass<S extends PictureSource>(p: S, n: number, seed: number): S {
  checkPictures('limitPerClass', p);
  checkLimit('limitPerClass', n);
  check('limitPerClass', 'the seed', seed, anySeed);
  const chosen = byClass(p).flatMap((members, c) => draw(members, n, seed, 'limitPerClass', c));
  return subset(
    p,
    chosen.sort((a, b) => a - b),
  );
}

/** Throws unless `n` is a positive integer. */
export function checkLimit(where: string, n: number): void {
  check(where, 'the limit', n, whole(1), 'Leave it out to keep every picture.');
}

/** Throws unless `names` are distinct members of `known`; the message proposes the nearest one. */
export function checkClasses(where: string, known: readonly string[], names: readonly string[]): void {
  if (known.length === 0)
    throw new ConfigError(
      `${where}: pictures must have labels for classes to be chosen; got pictures without labels. ` +
        `Leave the classes out.`,
    );
  check(where, 'the classes', names, listOf(text));
  if (names.length === 0)
    throw new ConfigError(`${where}: there must be at least one class; got none. Known: ${list(known)}.`);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new ConfigError(
      `${where}: a class must be one of the data set's; got '${name}'. ` +
        `${near ? `Did you mean '${near}'? ` : ''}Known: ${list(known)}.`,
    );
  }
  if (new Set(names).size !== names.length)
    throw new ConfigError(`${where}: classes must be distinct; got ${names.join(', ')}. Name each class once.`);
}

/** `n` of `members` at random, in their own order. */
export function draw<T>(members: readonly T[], n: number, seed: number, stream: string, index: number): T[] {
  if (n >= members.length) return [...members];
  const picked = new Rng(seed, stream, index).permutation(members.length).slice(0, n).sort();
  return Array.from(picked, (i) => members[i]);
}

/** The indices of each class; of the whole set if it is unlabelled. */
function byClass(p: Pick<PictureSet, 'count' | 'labels' | 'classes'>): number[][] {
  const count = p.classes?.length ?? 1 + (p.labels?.reduce((most, label) => Math.max(most, label), 0) ?? 0);
  const lists = Array.from({ length: count }, (): number[] => []);
  for (let i = 0; i < p.count; i++) lists[p.labels?.[i] ?? 0].push(i);
  return lists;
}

const list = (names: readonly string[]): string =>
  names.length <= 20 ? names.join(', ') : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
