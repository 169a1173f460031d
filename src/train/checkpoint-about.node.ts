import { createHash } from 'node:crypto';
import { FormatError } from '../core/errors.js';
import { inMemory, ofManyShapes, type PictureSource } from '../data/picture-source.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import type { Pretraining } from './pretrain.js';
import type { Position, Score } from './records.js';

/** What a checkpoint of a run says of the pictures, each by a digest: what they must be when the run goes on. */
const digests = { names: 'digest_names', labels: 'digest_labels', sizes: 'digest_sizes' } as const;

/** Metadata that belong to the run that wrote them, and to no other that goes on from its weights. */
export const OF_A_RUN = [
  'step',
  'metrics',
  'unmeasured',
  'pictures',
  'config',
  'score',
  'score_by',
  ...Object.values(digests),
];

type Metadata = Readonly<Record<string, string>>;
type Trained = Pick<Pretraining, 'config' | 'train' | 'heldOut' | 'unmeasured'>;

/** All that a checkpoint says besides its tensors: where the run stands, and with what it must go on. */
export function aboutCheckpoint(
  { config, train, heldOut, unmeasured }: Trained,
  { step }: Position,
  { version, metrics, score }: { version: string; metrics: number; score?: Score },
): Record<string, string> {
  const { method, model, stem, head, dim } = config;
  return {
    format: 'dawngrad-moco',
    version,
    step: String(step),
    metrics: String(metrics),
    pictures: String(train.count),
    ...(unmeasured && { unmeasured: 'true' }),
    ...digestsOf([train, heldOut]),
    config: JSON.stringify(config),
    ...(score && { score_by: score.by, score: String(score.value) }),
    method,
    model,
    stem,
    head,
    dim: String(dim),
  };
}

/** Digests of the pictures of a run, the same whether they are streamed or in memory. */
function digestsOf(sets: readonly PictureSource[]): Record<string, string> {
  const [names, labels, sizes] = [sha(), sha(), sha()];
  for (const set of sets) {
    for (const name of set.names) names.update(`${name}\0`);
    labels.update(JSON.stringify(set.classes ?? null)).update(set.labels ?? '');
    sizes.update(`${set.count}:`).update(ofManyShapes(set) ? '' : `${set.height}×${set.width}`);
    if (inMemory(set) && set.places) sizes.update(set.places);
  }
  const known = sets.every((set) => inMemory(set) || !ofManyShapes(set)); // streamed ones are, once they are decoded
  return {
    [digests.names]: names.digest('hex'),
    [digests.labels]: labels.digest('hex'),
    ...(known && { [digests.sizes]: sizes.digest('hex') }),
  };
}

const sha = () => createHash('sha256');

/** The score that a checkpoint was saved with, if it was. */
export const scoreIn = ({ score, score_by: by }: Metadata): Score | undefined =>
  score === undefined ? undefined : { by: by as Score['by'], value: Number(score) };

/** @throws FormatError unless a run's configuration is that of its checkpoint, where that says it. */
export function checkSameConfig(file: string, { config: saved }: Metadata, config: PretrainConfig): void {
  if (saved === undefined) return;
  const before: Record<string, unknown> = { ...demoConfig, ...parsed(saved) };
  const now: Record<string, unknown> = { ...config };
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)]))
    if (JSON.stringify(before[key]) !== JSON.stringify(now[key]))
      throw new FormatError(
        `${file}: a run must go on with the configuration it began with; ` +
          `got ${key} ${JSON.stringify(now[key])} in config.json where it had ${JSON.stringify(before[key])}. ` +
          `Restore it; dawngrad convert ${file} OUT makes a run that goes on from its weights with other settings.`,
      );
}

function parsed(json: string): object {
  try {
    return Object(JSON.parse(json)) as object;
  } catch {
    return {}; // what it lacks is named
  }
}

/** @throws FormatError unless pictures are those that a checkpoint was trained on, where it says which. */
export function checkSamePictures(
  file: string,
  saved: Metadata,
  { train, heldOut }: Pick<Trained, 'train' | 'heldOut'>,
): void {
  const fail = (got: string) => {
    throw new FormatError(
      `${file}: a run must go on with the pictures it began with; got ${got}. ` +
        'Restore those that are missing, renamed or damaged, take away what is new, or start a new run.',
    );
  };
  const { pictures = String(train.count) } = saved;
  if (Number(pictures) !== train.count) fail(`${train.count} where it had ${pictures} to train on`);
  const now = digestsOf([train, heldOut]);
  for (const [what, key] of Object.entries(digests))
    if (saved[key] !== undefined && now[key] !== undefined && saved[key] !== now[key]) fail(`others by their ${what}`);
}
