import { readFileSync } from 'node:fs';
import { above0 } from '../core/check.js';
import { DawngradError, FormatError } from '../core/errors.js';
import { readFields } from '../core/settings.js';
import { formats } from '../data/formats.node.js';
import { type PretrainConfig, pretrainSettings } from '../moco/config.js';
import { presetOf, presets } from '../moco/presets.js';
import { SAVE_EVERY } from '../train/saver.node.js';
import type { Flag, Parsed } from './args.js';
import { adapterFlag, commonFlags, ownFlags, settingsFrom, sharedFlag, streamFlags } from './flags.js';

/** The flags of a run, beside those of its settings. */
export const runFlags: readonly Flag[] = [
  ...ownFlags({
    preset: { kind: 'text', help: 'a named configuration (demo); see below' },
    config: { kind: 'text', help: 'a JSON file of fields, as --print-config prints; flags go over it' },
    'print-config': { kind: 'switch', help: 'print the whole configuration as JSON, and end' },
    'dry-run': { kind: 'switch', help: 'build everything, train two steps, tell memory and time, and end' },
    data: {
      kind: 'text',
      help: `pictures to train on (${formats.map((f) => f.name).join(', ')}); without it, synthetic ones`,
    },
    test: {
      kind: 'text',
      help:
        'measure on these pictures, and train on all of DATA; ' +
        "CIFAR-10's and MNIST's own test files are taken without it",
    },
  }),
  sharedFlag('classes'),
  sharedFlag('limit'),
  sharedFlag('count', { default: 1000 }),
  ...streamFlags,
  sharedFlag('out', { help: "the run's folder", default: 'runs/ and the time' }),
  ...ownFlags({ resume: { kind: 'text', help: 'continue the run in this folder where it stopped' } }),
  adapterFlag,
  ...ownFlags({
    'no-tensorboard': { kind: 'switch', help: "no TensorBoard file in the run's folder" },
    'save-every': {
      kind: 'number',
      help: 'minutes from one save to the next, besides those at the end of each epoch',
      default: SAVE_EVERY,
      rule: above0,
      todo: `Use ${SAVE_EVERY}.`,
    },
    chart: { kind: 'switch', help: 'on a terminal, the loss as a chart under the bar' },
  }),
  ...commonFlags,
];

/** The configuration asked for: a preset (without one, `base`), over it the file's fields, over them the flags. */
export function configFrom(args: Pick<Parsed, 'flags'>, base: PretrainConfig = presets.demo): PretrainConfig {
  const { flags } = args;
  const { preset, ...fromFile } = flags.has('config') ? fieldsIn(flags.get('config') as string) : {};
  const name = flags.get('preset') ?? preset;
  return settingsFrom(args, pretrainSettings, { ...(name === undefined ? base : presetOf(String(name))), ...fromFile });
}

/** The fields in a JSON file, all known. */
function fieldsIn(file: string): Record<string, unknown> {
  try {
    return readFields(file, JSON.parse(readFileSync(file, 'utf8')), pretrainSettings, ['preset']);
  } catch (error) {
    if (error instanceof DawngradError) throw error;
    const got = (error as Error).message;
    throw new FormatError(`${file}: a configuration must be a JSON file; got ${got}. Print one with --print-config.`);
  }
}
