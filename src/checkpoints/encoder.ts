import { onShapes } from '../backend/shapes.js';
import { above0, anyNumber, check, isRecord, listOf, text, whole } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { show } from '../core/shape.js';
import type { Normalisation } from '../input/evaluation-crop.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { Architecture, Encoder, Family, Hints } from '../nn/family.js';
import type { Module } from '../nn/module.js';
import { checkFinite, nonFinite } from './finite.js';
import { tensorMap, type Weights } from './layout.js';
import { checkModule, loadModule } from './module-state.js';
import { behind, encodersIn, placeOfEncoder, plainNames } from './tensor-names.js';

/**
 * An encoder as a file describes it: its tensors with torchvision's or timm's names, and how pictures are put to it.
 */
export interface EncoderFile {
  /** Those of the encoder and of its head; nothing else. */
  tensors: Map<string, StoredTensor>;
  family: Family;
  /** What its family read off the tensors. */
  architecture: Architecture;
  normalisation: Normalisation;
  /** What stands before its names in the file. */
  prefix: string;
  /** What was taken of a file of others, and what was left, in a sentence. */
  taken?: string;
  /** What was not read, and how what a file leaves open is taken, in sentences. */
  notes: string[];
  /** What is wrong with its values, in sentences. */
  warnings: string[];
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** What is known of an encoder besides its tensors. */
export interface Said extends Partial<Normalisation>, Hints {
  /** What stands before its names, in a file of several. */
  prefix?: string;
}

/** What each part of `Said` must be. */
export const saidRules = {
  stem: text,
  model: text,
  heads: whole(1),
  prefix: text,
  size: whole(1),
  mean: listOf(anyNumber, 3),
  std: listOf(above0, 3),
};

/**
 * The query encoder of a checkpoint. Pictures are taken as ImageNet's where nothing else is said.
 *
 * @throws FormatError for another network, and for one that holds what this one has no place for: a lookalike computes
 * something else. ConfigError for what is said that contradicts the file.
 */
export function encoderOf(weights: Weights, file: string, also: Said = {}): EncoderFile {
  check('encoderOf', 'the weights', weights, {
    is: 'an object of tensors and metadata',
    holds: (v) => isRecord(v) && tensorMap.holds(v.tensors) && isRecord(v.metadata),
  });
  check('encoderOf', 'what is said', also, { is: 'an object', holds: isRecord });
  for (const [key, rule] of Object.entries(saidRules))
    if (also[key as keyof Said] !== undefined) check('encoderOf', key, also[key as keyof Said], rule);
  check('encoderOf', 'the file', file, text);
  const all = plainNames(weights.tensors, file);
  const { prefix, family } = placeOfEncoder(all, file, also.prefix);
  const found = behind(all, prefix);
  const said = { ...saidIn(weights.metadata), ...also };
  const architecture = family.recognise(found, file, said);
  checkModel(architecture, file, said.model);
  const model = onShapes(() => family.restore(architecture));
  checkModule(model, found, file, behindOf(weights.skipped, prefix));
  const tensors = usedOf(model, { found, head: headsOf(family) }, file, prefix === '' ? isElse(all) : () => false);
  const normalisation = {
    size: family.side(architecture, file, said.size),
    mean: said.mean ?? imagenet.mean,
    std: said.std ?? imagenet.std,
  };
  const warning = nonFinite(all);
  return {
    tensors,
    family,
    architecture,
    normalisation,
    prefix,
    taken: isOwn(weights) ? undefined : takenOf(all, { tensors, family, architecture, prefix }, file),
    notes: notesOf(weights, { tensors, family, architecture }, file, said),
    warnings: warning ? [`${file}: ${warning}.`] : [],
  };
}

function checkModel({ model }: Architecture, file: string, said?: string): void {
  if (said !== undefined && model !== said)
    throw new FormatError(
      `${file}: it must hold a ${said}, as is said of it; got ${model ?? 'another network'}. ` +
        `Restore the file that belongs there.`,
    );
}

const behindOf = (skipped: Weights['skipped'], prefix: string): Map<string, string> =>
  new Map(
    [...(skipped ?? [])].flatMap(([name, type]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), type]] : [],
    ),
  );

/** What may follow an encoder's features, hide its input in pretraining or count in it, without changing them. */
const heads =
  'fc|heads?|\\w+_head|classifier|linear|last_linear|projector|projection|predictor|prediction|prototypes|' +
  'mask_token|decoder\\w*';
const HEAD = new RegExp(`^(${heads})(\\.|$)`);
const COUNTS = /(^|\.)(num_batches_tracked|total_ops|total_params)$/;

/** Whether a tensor of a model of the family is of its head. */
export const headsOf =
  ({ body }: Family) =>
  (name: string): boolean =>
    HEAD.test(name) && !body?.test(name);

/** In a file without a prefix: what belongs to the method, or to another encoder. */
function isElse(all: ReadonlyMap<string, StoredTensor>): (name: string) => boolean {
  const others = encodersIn(all)
    .map((p) => p.prefix)
    .filter(Boolean);
  return (name) =>
    /^(queue\w*|bank|memory|optimizer\.[\w.]+)$/.test(name) || others.some((prefix) => name.startsWith(prefix));
}

/**
 * The tensors of the model and its head. @throws FormatError naming others: with them the network computes something
 * else.
 */
function usedOf(
  model: Module,
  { found, head: isHead }: { found: Map<string, StoredTensor>; head: (name: string) => boolean },
  file: string,
  isOther: (name: string) => boolean,
): Map<string, StoredTensor> {
  const known = new Set([...model.entries()].map((e) => e.name));
  const used = [...found].filter(([name]) => known.has(name) || isHead(name));
  const unused = [...found].filter(
    ([name]) => !known.has(name) && !isHead(name) && !COUNTS.test(name) && !isOther(name),
  );
  if (unused.length === 0) return new Map(used);
  const named = unused.slice(0, 6).map(([name, { shape }]) => `${name} ${show(shape)}`);
  const more = unused.length > named.length ? ` and ${unused.length - named.length} more` : '';
  throw new FormatError(
    `${file}: every tensor of its encoder must be used; got ${named.join(', ')}${more}, ` +
      `for which this network has no place: ` +
      'its features would be wrong. It is of another kind (LayerScale, registers, squeeze-excitation, …): ' +
      'choose a plain one.',
  );
}

/** Whether a run or a classifier wrote the file: then nothing of it is news. */
const isOwn = ({ metadata }: Weights): boolean =>
  metadata.step !== undefined || metadata.format === 'dawngrad-classifier';

type Described = Pick<EncoderFile, 'tensors' | 'family' | 'architecture' | 'prefix'>;

function takenOf(
  all: ReadonlyMap<string, StoredTensor>,
  { tensors, family, architecture, prefix }: Described,
  file: string,
): string {
  const isHead = headsOf(family);
  const others = encodersIn(all)
    .map((p) => p.prefix)
    .filter((p) => p !== prefix && p !== '');
  const isUsed = (name: string) => tensors.has(name) && !isHead(name);
  const left = [...all.keys()].filter(
    (name) => !COUNTS.test(name) && !(name.startsWith(prefix) && isUsed(name.slice(prefix.length))),
  );
  const groups = [...new Set(left.map((name) => group(name, prefix, others)))];
  const name = architecture.model ?? family.is;
  const unused =
    groups.length > 0 ? `; not used: ${groups.slice(0, 12).join(', ')}${groups.length > 12 ? ', …' : ''}` : '';
  return `${file}: ${prefix ? prefix.replace(/\.$/, '') : 'it'} is taken as ${name}${unused}.`;
}

function notesOf(
  { skipped = new Map(), notes = [] }: Weights,
  { tensors, family, architecture }: Omit<Described, 'prefix'>,
  file: string,
  said: Said,
): string[] {
  const assumed = family.assumed(architecture, tensors, said);
  const unread = [...skipped].slice(0, 3).map(([key, type]) => `${key} (${type})`);
  const more = skipped.size > 3 ? ` and ${skipped.size - 3} more` : '';
  return [
    ...(skipped.size > 0 ? [`not read: ${unread.join(', ')}${more}.`] : []),
    ...notes,
    ...assumed.map((text) => `assumed: ${text}.`),
  ].map((text) => `${file}: ${text}`);
}

/** A word for a tensor that is left: the encoder, head or part of the method that it belongs to. */
function group(name: string, prefix: string, others: string[]): string {
  const other = others.find((p) => name.startsWith(p));
  if (other) return other.replace(/\.$/, '');
  return name.startsWith(prefix) ? prefix + name.slice(prefix.length).split('.', 1)[0] : name.split('.', 1)[0];
}

/** What a file of dawngrad's says of itself. */
function saidIn({ stem, model, heads, size, mean, std }: Record<string, string>): Said {
  const numbers = (list: string) => list.split(',').map(Number);
  return {
    ...(stem && { stem }),
    ...(model && { model }),
    ...(heads && { heads: Number(heads) }),
    ...(size && { size: Number(size) }),
    ...(mean && { mean: numbers(mean) }),
    ...(std && { std: numbers(std) }),
  };
}

/** Throws unless `encoder` is what `encoderOf` gives. */
export const checkEncoderFile = (where: string, encoder: unknown): void =>
  check(where, 'the encoder', encoder, {
    is: 'one that openEncoder() or encoderOf() gave',
    holds: (v) => isRecord(v) && v.tensors instanceof Map && isRecord(v.family) && isRecord(v.architecture),
  });

/**
 * The encoder on the current backend, evaluating, without its head. @throws FormatError if its values are not finite.
 */
export function buildEncoder(encoder: EncoderFile, file: string): Encoder {
  checkEncoderFile('buildEncoder', encoder);
  check('buildEncoder', 'the file', file, text);
  const { tensors, family, architecture } = encoder;
  checkFinite(tensors, file, headsOf(family));
  const model = family.restore(architecture);
  loadModule(model, tensors, file);
  return model.eval();
}
