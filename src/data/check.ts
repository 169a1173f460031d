import { callable, check, checkOptions, instance, isRecord, listOf, shown, text, whole } from '../core/check.js';
import { ConfigError, ShapeError } from '../core/errors.js';
import type { PictureSet, PictureSource, Pictures } from './picture-source.js';

/**
 * Throws unless `p` is a data set, in memory or streamed, whose lists are as long as it says and whose labels name its
 * classes.
 */
export function checkPictures(where: string, p: PictureSource): void {
  checkSet(where, p);
  if (!('data' in p)) return check(where, 'load', p.load, callable, 'Pass a data set with data, or with load().');
  check(where, 'the data', p.data, instance(Uint8Array));
  if (p.places !== undefined) return checkPlaces(where, p);
  const bytes = p.count * p.height * p.width * 3;
  if (p.data.length !== bytes)
    throw new ShapeError(
      `${where}: the data must have ${bytes} bytes, count · height · width · 3; got ${p.data.length}. ` +
        `Correct the sizes.`,
    );
}

/** The same of what is known of a data set without its pixels. */
export function checkSet(where: string, p: PictureSet): void {
  if (!isRecord(p))
    throw new ConfigError(
      `${where}: the pictures must be a data set; got ${shown(p)}. ` +
        'Make one with openPictures() or syntheticPictures().',
    );
  for (const key of ['count', 'height', 'width'] as const)
    check(where, `the pictures' ${key}`, p[key], whole(key === 'count' ? 0 : 1));
  const { count, names, labels, classes } = p;
  check(where, 'the names', names, { is: `a list of ${count}`, holds: (v) => Array.isArray(v) && v.length === count });
  if (classes !== undefined) check(where, 'the classes', classes, listOf(text));
  if (labels === undefined) return;
  check(where, 'the labels', labels, {
    is: `a Uint32Array of ${count}`,
    holds: (v) => v instanceof Uint32Array && v.length === count,
  });
  const wrong = classes && labels.findIndex((l) => l >= classes.length);
  if (wrong !== undefined && wrong >= 0)
    throw new ConfigError(
      `${where}: a label must lie in [0, ${classes!.length - 1}]; got ${labels[wrong]} of picture ${wrong}. ` +
        `Name its class, or correct it.`,
    );
}

/** Throws unless each picture of a shape of its own lies in the data, and has no more pixels than the set says. */
function checkPlaces(where: string, { data, places, count, height, width }: Pictures): void {
  check(where, 'the places', places, {
    is: `a Uint32Array of 3 · ${count}`,
    holds: (v) => v instanceof Uint32Array && v.length === 3 * count,
  });
  for (let i = 0; i < count; i++) {
    const [first, rows, columns] = places!.subarray(3 * i, 3 * i + 3);
    if (rows * columns === 0 || rows * columns > height * width || first + rows * columns > data.length / 3)
      throw new ShapeError(
        `${where}: a picture must lie in the data, of 1 to ${height * width} pixels; ` +
          `got ${rows} by ${columns} from pixel ${first} of ${data.length / 3}. ` +
          'Correct its place.',
      );
  }
}

/** Throws unless `sets` are pictures to train on and others, of one list of classes. */
export function checkSets(where: string, sets: { train: PictureSource; heldOut: PictureSource }): void {
  check(
    where,
    'the pictures',
    sets,
    { is: 'an object of train and heldOut', holds: isRecord },
    'Make them with splitHeldOut().',
  );
  checkPictures(`${where}: train`, sets.train);
  checkPictures(`${where}: heldOut`, sets.heldOut);
}

/** Throws unless hooks are functions of known names, beside a signal. */
export const checkHooks = (where: string, hooks: unknown, names: readonly string[]): void =>
  checkOptions(where, hooks, {
    ...Object.fromEntries(names.map((name) => [name, callable])),
    signal: instance(AbortSignal),
  });
