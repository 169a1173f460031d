import { callable, check, checkOptions, instance, isRecord } from '../core/check.js';
import { checkPictures } from '../data/check.js';
import type { PictureSource } from '../data/picture-source.js';

/** Throws unless `sets` are pictures to train on and others, of one list of classes. */
export function checkSets(where: string, sets: { train: PictureSource; heldOut: PictureSource }): void {
  check(where, 'the pictures', sets, { is: 'an object of train and heldOut', holds: isRecord }, 'Make them with splitHeldOut().');
  checkPictures(`${where}: train`, sets.train);
  checkPictures(`${where}: heldOut`, sets.heldOut);
}

/** Throws unless hooks are functions of known names, beside a signal. */
export const checkHooks = (where: string, hooks: unknown, names: readonly string[]): void =>
  checkOptions(where, hooks, { ...Object.fromEntries(names.map((name) => [name, callable])), signal: instance(AbortSignal) });
