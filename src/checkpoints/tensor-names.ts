import { ConfigError, FormatError } from '../core/errors.js';
import { type Shape, show } from '../core/shape.js';
import { visibleName } from '../core/visible.js';
import { families } from '../nn/families.js';
import type { Family } from '../nn/family.js';

/** Anything that has a shape under a name. */
export type Named<T extends { shape: Shape } = { shape: Shape }> = ReadonlyMap<string, T>;

/**
 * Parts that wrappers put into names: DistributedDataParallel, torch.compile, FullyShardedDataParallel, checkpointing.
 */
const WRAPPERS = new Set(['module', '_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module']);

const unwrapped = (name: string): string =>
  name
    .split('.')
    .filter((part) => !WRAPPERS.has(part))
    .join('.') || name;

const LONGEST_NAME = 1024;

/** @throws FormatError for a name that no network has: what is sought in names takes longer the longer they are. */
export function checkName(name: string, file: string): void {
  if (name.length > LONGEST_NAME)
    throw new FormatError(
      `${file}: names of tensors must have at most ${LONGEST_NAME} letters; got one of ${name.length}. ` +
        'Rename the tensor.',
    );
}

/**
 * The tensors of a file by plain names: without the parts that wrappers put in, in any order and number, and numbered
 * children of a ResNet (`backbone.4.0.conv1.weight`) under torchvision's names. Plain names stay as they are.
 *
 * @throws FormatError where two tensors would get the same name.
 */
export function plainNames<T extends { shape: Shape }>(tensors: Named<T>, file: string): Map<string, T> {
  for (const name of tensors.keys()) checkName(name, file);
  const bare = renamed(tensors, unwrapped, file);
  return renamed(bare, childNames(bare), file);
}

function renamed<T>(tensors: ReadonlyMap<string, T>, rename: (name: string) => string, file: string): Map<string, T> {
  const out = new Map<string, T>();
  for (const [name, t] of tensors) {
    const plain = rename(name);
    if (out.has(plain) && out.get(plain) !== t)
      throw new FormatError(
        `${file}: tensors must have names of their own; ` +
          `got ${visibleName(plain)} twice, once as ${visibleName(name)}. Save one network a file.`,
      );
    out.set(plain, t);
  }
  return out;
}

const MOST_ENCODERS = 16;
const MOST_CHILDREN = 32;

/** Renames what lies in a Sequential of a ResNet's children: `net.3.0.conv1.weight` becomes `layer1.0.conv1.weight`. */
function childNames(tensors: Named): (name: string) => string {
  const stages = new Map<string, number[]>();
  for (const name of tensors.keys()) {
    const [, prefix, child] = /^((?:.*\.)?)(\d+)\.0\.conv1\.weight$/.exec(name) ?? [];
    if (prefix === undefined) continue;
    if (!stages.has(prefix)) stages.set(prefix, []);
    stages.get(prefix)!.push(Number(child));
  }
  const known = [...stages].slice(0, MOST_ENCODERS).flatMap(([prefix, found]) => children(tensors, prefix, found));
  return (name) => {
    const child = known.find(({ prefix }) => name.startsWith(prefix));
    const [, number, rest] = /^(\d+)(\..*)$/.exec(child ? name.slice(child.prefix.length) : '') ?? [];
    const called = child?.names.get(Number(number));
    return called === undefined ? name : `${child!.prefix.replace(/(^|\.)net\.$/, '$1')}${called}${rest}`;
  };
}

/**
 * The children of the Sequential behind `prefix` by their shapes: a convolution and its norm before the stages, a
 * linear layer after.
 */
function children(tensors: Named, prefix: string, found: number[]): { prefix: string; names: Map<number, string> }[] {
  const stages = found.sort((a, b) => a - b);
  const numbers = Array.from({ length: MOST_CHILDREN }, (_, i) => i);
  const rank = (i: number, what: string) => tensors.get(`${prefix}${i}.${what}`)?.shape.length;
  const convs = numbers.filter((i) => i < stages[0] && rank(i, 'weight') === 4);
  const norms = numbers.filter((i) => i < stages[0] && rank(i, 'running_mean') === 1);
  const heads = numbers.filter((i) => i > stages.at(-1)! && rank(i, 'weight') === 2);
  if (convs.length !== 1 || norms.length !== 1 || norms[0] < convs[0] || heads.length > 1) return [];
  const layers = stages.map((stage, i): [number, string] => [stage, `layer${i + 1}`]);
  return [
    {
      prefix,
      names: new Map([
        [convs[0], 'conv1'],
        [norms[0], 'bn1'],
        ...layers,
        ...heads.map((i): [number, string] => [i, 'fc']),
      ]),
    },
  ];
}

/** Where an encoder is among the tensors of a file. */
export interface Place {
  family: Family;
  /** What stands before its names: `encoder_q.`, or nothing. */
  prefix: string;
}

/** Names of copies that follow the trained encoder: MoCo's key and momentum encoders, teachers, averages. */
const COPY = /(^|[._])(k|key|keys|momentum|mom|teacher|target|ema|slow)([._]|$)/i;

export const isCopy = (prefix: string): boolean => COPY.test(prefix);

/** Every encoder in a file. */
export const encodersIn = (tensors: Named): Place[] =>
  families.flatMap((family) => {
    const { inside, stem } = family.marks;
    return prefixesOf(tensors, inside)
      .filter((p) => stem.some((s) => tensors.has(p + s)))
      .map((prefix) => ({ family, prefix }));
  });

/** What stands before a name, wherever it occurs; an optimizer keeps something of every parameter under its name. */
const prefixesOf = (tensors: Named, inside: string): string[] =>
  [...tensors.keys()]
    .filter((name) => `.${name}`.endsWith(`.${inside}`))
    .map((name) => name.slice(0, -inside.length))
    .filter((p) => !p.startsWith('optimizer.'));

/**
 * The encoder of a file: the only one, or the only one that is trained, since key encoders, teachers and averages are
 * copies that follow it, or the one behind `prefix`.
 *
 * @throws FormatError if there is none or no saying which, ConfigError for a prefix that none is behind.
 */
export function placeOfEncoder(tensors: Named, file: string, prefix?: string): Place {
  const places = encodersIn(tensors);
  const listed = places.map((p) => visibleName(p.prefix) || 'the file itself').join(', ');
  if (prefix !== undefined) {
    const asked = places.find((p) => p.prefix === prefix || p.prefix === `${prefix}.`);
    if (asked) return asked;
    throw new ConfigError(
      `--prefix: an encoder of ${file} must be behind it; got ${prefix}, ` +
        `and encoders in ${listed || 'no place'}. Name one of those.`,
    );
  }
  if (places.length === 0) return refuseNoEncoder(tensors, file);
  const trained = places.filter((p) => !isCopy(p.prefix));
  if (places.length === 1) return places[0];
  if (trained.length === 1) return trained[0];
  throw new FormatError(
    `${file}: one encoder must be meant; got ${places.length}, behind ${listed}. Say which: ` +
      `--prefix ${visibleName(places[0].prefix || places[1].prefix)}`,
  );
}

function refuseNoEncoder(tensors: Named, file: string): never {
  const stemless = families.flatMap(
    ({
      marks: {
        inside,
        stem: [stem],
      },
    }) =>
      prefixesOf(tensors, inside)
        .slice(0, 5)
        .map((p) => `${visibleName(p)}${inside} without ${visibleName(p)}${stem}`),
  );
  const first = [...tensors].slice(0, 5).map(([name, { shape }]) => `${visibleName(name)} ${show(shape)}`);
  const seen =
    tensors.size === 0 ? 'no tensors' : `${tensors.size} tensors: ${first.join(', ')}${tensors.size > 5 ? ', …' : ''}`;
  const known = families.map(
    ({
      is,
      marks: {
        inside,
        stem: [stem],
      },
    }) => `${is} (${stem} beside ${inside})`,
  );
  throw new FormatError(
    `${file}: it must hold ${known.slice(0, -1).join(', ')} or ${known.at(-1)}, behind any prefix; ` +
      `got ${[seen, ...stemless].join('; ')}. Rename the tensors, or choose another checkpoint.`,
  );
}

/** The tensors of the encoder behind `prefix`, by torchvision's or timm's names. */
export const behind = <T extends { shape: Shape }>(tensors: Named<T>, prefix: string): Map<string, T> =>
  new Map([...tensors].flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])));
