import { ConfigError } from '../core/errors.js';
import { checkPictures, checkSet } from './check.js';
import { some } from './folder-warnings.js';
import type { PictureSet, PictureSource } from './picture-source.js';
import { subset } from './pictures.js';

/**
 * A test set whose labels are numbered as those of the training set, by the names of classes, and in sentences what
 * does not agree: classes that are trained on and not tested, and the other way round, whose pictures are left out.
 * @throws ConfigError where a set has no classes, or the two have none in common.
 */
export function alignClasses<S extends PictureSource>(train: PictureSet, test: S): { test: S; warnings: string[] } {
  checkSet('test set', train);
  checkPictures('test set', test);
  const [known, given] = [train.classes, test.classes];
  if (!known || !train.labels || !given || !test.labels)
    throw new ConfigError(
      'test set: it and the training set must have classes; got pictures without. Sort them into folders by class.',
    );
  const [trained, tested] = [heldBy(train), heldBy(test)];
  const lacking = known.filter((name) => trained.has(name) && !tested.has(name));
  const unknown = [...tested].filter((name) => !trained.has(name));
  if (unknown.length === tested.size)
    throw new ConfigError(
      `test set: its classes must be the training set's, ${some(known)}; got ${some(given)}. Name the folders alike.`,
    );
  const recognisable = [...test.labels.keys()].filter((i) => trained.has(given[test.labels![i]]));
  const usable = unknown.length === 0 ? test : subset(test, recognisable);
  const warnings: string[] = [];
  if (lacking.length > 0)
    warnings.push(
      `test set: each class of the training set must be tested; got no pictures of ${some(lacking)}. ` +
        `Accuracies leave them out.`,
    );
  if (unknown.length > 0)
    warnings.push(
      `test set: only classes that are trained on can be recognised; got ${some(unknown)} too, ` +
        `${test.count - usable.count} pictures, which are left out.`,
    );
  return {
    test: { ...usable, classes: [...known], labels: usable.labels!.map((l) => known.indexOf(given[l])) },
    warnings,
  };
}

/** The classes of which a set has a picture. */
function heldBy({ labels, classes }: PictureSet): Set<string> {
  const held = new Set<string>();
  for (const label of labels!) held.add(classes![label]);
  return held;
}
