import { type Rule, whole } from '../core/check.js';
import { type ConfigOf, defaultsOf, type Setting, type Settings } from '../core/settings.js';
import { AHEAD, aheadRule } from '../input/look-ahead.js';
import { pretrainSettings } from '../moco/config.js';
import type { Flag, Parsed } from './args.js';

/** A flag without its name. */
export type FlagRow = Omit<Flag, 'name'>;

const wholePixels: Rule = { is: 'a whole number of pixels above 0', holds: whole(1).holds };
const adapters = ['any', 'hardware', 'software'];
const { heldOut, seed } = pretrainSettings;

/** The flags that commands share, a row each: what they mean and what they may be is the same everywhere. */
const rows = {
  json: { kind: 'switch', help: 'the result as one JSON object on stdout' },
  quiet: { kind: 'switch', help: 'nothing on stderr but errors', excludes: 'verbose' },
  verbose: { kind: 'switch', help: 'more on stderr, and the stack of an error' },
  help: { kind: 'switch', help: 'this text; -h too' },
  adapter: { kind: 'text', help: 'any, hardware or software', default: 'any', choices: adapters },
  stream: {
    kind: 'switch',
    help: 'decode pictures as steps need them (as is done where they would not fit into memory)',
    excludes: 'no-stream',
  },
  'no-stream': { kind: 'switch', help: 'decode all pictures first and keep them on the device' },
  ahead: {
    kind: 'number',
    help: 'steps whose pictures are decoded before their turn',
    default: AHEAD,
    rule: aheadRule,
    todo: `Use ${AHEAD}.`,
  },
  heads: {
    kind: 'number',
    help: 'attention heads of a vision transformer',
    default: "the run's; else MoCo v3's if its positions are; else width / 64",
    rule: whole(1),
    todo: 'Leave it out.',
  },
  stem: {
    kind: 'text',
    help: 'stem of a ResNet: imagenet, cifar or small',
    default: "the run's; else as conv1.weight is",
    choices: pretrainSettings.stem.choices,
  },
  prefix: {
    kind: 'text',
    help: 'what stands before the names of the encoder, where a checkpoint holds several',
    default: 'the trained one',
  },
  checkpoint: { kind: 'text', help: "a run's folder, or a checkpoint (safetensors or PyTorch's)" },
  out: { kind: 'text', help: 'where to write' },
  classes: { kind: 'list', help: 'use these classes (sub-folders) only' },
  limit: {
    kind: 'number',
    help: 'use at most so many pictures a class',
    rule: whole(1),
    todo: 'Leave it out to use every picture.',
  },
  count: {
    kind: 'number',
    help: 'synthetic pictures to make when there is no data',
    rule: whole(1),
    todo: 'Ask for 1000.',
  },
  'held-out': {
    kind: 'number',
    help: 'part of the pictures held out to measure accuracy',
    rule: heldOut.rule,
    todo: 'Use 0.2.',
  },
  size: { kind: 'number', help: 'pixels of a picture', rule: wholePixels, todo: 'Leave it out.' },
  seed: { kind: 'number', help: seed.help, rule: seed.rule, todo: 'Use 1.' },
} satisfies Record<string, FlagRow>;

/** A shared flag; `own` is what a command says of it beside that. */
export const sharedFlag = (name: keyof typeof rows, own: Partial<FlagRow> = {}): Flag => ({
  name,
  ...rows[name],
  ...own,
});

const shared = (...names: (keyof typeof rows)[]): readonly Flag[] => names.map((name) => sharedFlag(name));

/** Flags of a command alone, by name. */
export const ownFlags = (own: Readonly<Record<string, FlagRow>>): Flag[] =>
  Object.entries(own).map(([name, row]) => ({ name, ...row }));

/** Flags that every command has. */
export const commonFlags = shared('json', 'quiet', 'verbose', 'help');

/** The flag of every command that computes. */
export const adapterFlag = sharedFlag('adapter');

/** Flags of every command that streams pictures. */
export const streamFlags = shared('stream', 'no-stream', 'ahead');

/** Flags of every command that reads an encoder. */
export const encoderFlags = shared('heads', 'stem', 'prefix');

/** The flag of a setting, without its dashes: its name in kebab case. */
export const flagOf = (setting: string): string =>
  setting.replace(/(?<=[a-z])[A-Z](?=[a-z])/g, (c) => `-${c.toLowerCase()}`).replace(/(?<=[a-z])T$/, '-T');

const kinds = { boolean: 'switch', number: 'number', string: 'text', object: 'numbers' } as const;

const kindOf = ({ default: value }: Setting): Flag['kind'] => kinds[typeof value as keyof typeof kinds];

/** What stands in brackets behind the help of a setting. */
const shownAs = (value: unknown): string | undefined =>
  value === undefined ? undefined : Array.isArray(value) && value.length === 0 ? 'none' : String(value);

/** The flags of settings, a row each; in brackets the values that hold without them. A switch has a --no- form. */
export function settingFlags(of: Settings, values: Readonly<Record<string, unknown>> = defaultsOf(of)): Flag[] {
  return Object.entries(of).flatMap(([key, setting]): Flag[] => {
    const { help, rule, choices } = setting;
    const [name, kind, value] = [flagOf(key), kindOf(setting), values[key]];
    if (kind !== 'switch')
      return [{ name, kind, help, default: shownAs(value), ...(choices ? { choices } : { rule }) }];
    const [on, off] = value ? ['on', undefined] : [undefined, 'default'];
    return [
      { name, kind, help, default: on, excludes: `no-${name}` },
      { name: `no-${name}`, kind, help: 'not so', default: off },
    ];
  });
}

/** The settings as flags say, and as `base` where they say nothing. */
export function settingsFrom<S extends Settings, C extends ConfigOf<S>>(
  { flags }: Pick<Parsed, 'flags'>,
  of: S,
  base: C,
): C {
  const config: Record<string, unknown> = { ...base };
  for (const key of Object.keys(of)) {
    const name = flagOf(key);
    if (flags.has(name)) config[key] = flags.get(name);
    if (flags.has(`no-${name}`)) config[key] = false;
  }
  return config as C;
}
