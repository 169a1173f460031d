import { ConfigError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { convnexts } from './convnext.js';
import type { Family } from './family.js';
import { resnets } from './resnet-family.js';
import { visionTransformers } from './vit-family.js';

/** Every family of models. */
export const families: readonly Family[] = [resnets, visionTransformers, convnexts];

/** The family that knows a name. @throws ConfigError if none does, with the nearest known name. */
export function familyOf(name: string): Family {
  const family = families.find(({ names }) => names.includes(name));
  if (family) return family;
  const known = families.flatMap(({ names }) => names);
  const near = nearest(name, known);
  throw new ConfigError(
    `model: it must be one of ${known.join(', ')}; got ${name}. ${near ? `Did you mean ${near}?` : 'Choose one.'}`,
  );
}
