import { useBackend } from '../backend/backend.js';
import { ShapesBackend } from '../backend/shapes.js';
import { whole } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { defaultsOf, settings } from '../core/settings.js';
import { pretrainSettings } from '../moco/config.js';
import { buildModel } from '../nn/models.js';
import { summary as summarise } from '../nn/summary.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { commonFlags, settingFlags, settingsFrom } from './flags.js';
import { Output } from './output.js';

const { model, stem, head, dim } = pretrainSettings;
const natural = whole(1);

/** What is summarised, a row each; the stem where none is given is that for the size. */
const summarySettings = settings({
  model: { ...model, default: 'resnet18' },
  size: { default: 224, rule: natural, help: 'pixels of a picture' },
  batch: { default: 1, rule: natural, help: 'pictures' },
  stem: { ...stem, help: 'of a ResNet: imagenet, cifar or small' },
  head: { ...head, default: 'linear', help: 'linear or mlp' },
  dim: { ...dim, default: 128, help: "the head's outputs" },
});
const flags: readonly Flag[] = [
  ...settingFlags(summarySettings, { ...defaultsOf(summarySettings), stem: 'imagenet from 64 pixels on, else cifar' }),
  ...commonFlags,
];

const help = `dawngrad summary [flags]

Prints shapes, parameters and floating-point operations of a model by layer. Nothing is computed, so no adapter is
needed.

Examples
  dawngrad summary --model resnet18 --size 32
  dawngrad summary --model resnet50 --dim 1000 --json

${describeFlags(flags)}`;

/** `dawngrad summary`. */
export const summary: Command = { flags, help, run: runSummary };

async function runSummary(args: Parsed): Promise<number> {
  if (args.positional.length > 0)
    throw new ConfigError(
      `summary: it takes flags only; got ${args.positional.join(' ')}. ` +
        `Write dawngrad summary --model ${args.positional[0]}.`,
    );
  const { stem, ...asked } = settingsFrom(args, summarySettings, defaultsOf(summarySettings));
  const { model, size, batch, head, dim } = asked;
  useBackend(new ShapesBackend());
  const built = buildModel(model, {
    stem: args.flags.has('stem') ? stem : size < 64 ? 'cifar' : 'imagenet',
    head,
    dim,
    size,
  });
  const layers = summarise(built, [batch, size, size, 3]);
  new Output(args).result(String(layers), layers);
  return 0;
}
