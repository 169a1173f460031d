import { useBackend } from '../backend/backend.js';
import { ShapesBackend } from '../backend/shapes.js';
import { ConfigError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { buildModel, type ModelOptions, models } from '../nn/models.js';
import { summary as summarise } from '../nn/summary.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { commonFlags, Output } from './common.js';

const flags: readonly Flag[] = [
  { name: 'model', kind: 'text', help: `${Object.keys(models).join(', ')} (resnet18)` },
  { name: 'size', kind: 'number', help: 'pixels of a picture (224)' },
  { name: 'batch', kind: 'number', help: 'pictures (1)' },
  { name: 'stem', kind: 'text', help: 'of a ResNet: imagenet, cifar or small (imagenet from 64 pixels on, else cifar)' },
  { name: 'head', kind: 'text', help: 'linear or mlp (linear)' },
  { name: 'dim', kind: 'number', help: "the head's outputs (128)" },
  ...commonFlags,
];

const help = `dawngrad summary [flags]

Prints shapes, parameters and floating-point operations of a model by layer. Nothing is computed, so no adapter is needed.

Examples
  dawngrad summary --model resnet18 --size 32
  dawngrad summary --model resnet50 --dim 1000 --json

${describeFlags(flags)}`;

/** `dawngrad summary`. */
export const summary: Command = { flags, help, run: runSummary };

async function runSummary(args: Parsed): Promise<number> {
  if (args.positional.length > 0)
    throw new ConfigError(`summary: it takes flags only; got ${args.positional.join(' ')}. Write dawngrad summary --model ${args.positional[0]}.`);
  const [size, batch, dim] = [natural(args, 'size', 224), natural(args, 'batch', 1), natural(args, 'dim', 128)];
  const stem = oneOf(args, 'stem', ['imagenet', 'cifar', 'small'], size < 64 ? 'cifar' : 'imagenet');
  const head = oneOf(args, 'head', ['linear', 'mlp'], 'linear');
  useBackend(new ShapesBackend());
  const model = buildModel((args.flags.get('model') as string | undefined) ?? 'resnet18', { stem, head, dim, size } as ModelOptions);
  const told = summarise(model, [batch, size, size, 3]);
  new Output(args).result(String(told), told);
  return 0;
}

function natural({ flags: given }: Parsed, name: string, otherwise: number): number {
  const value = (given.get(name) as number | undefined) ?? otherwise;
  if (!(Number.isInteger(value) && value > 0)) throw new ConfigError(`--${name}: it is a whole number from 1 on; got ${value}. Write --${name} ${otherwise}.`);
  return value;
}

function oneOf(args: Parsed, name: string, known: string[], otherwise: string): string {
  const value = (args.flags.get(name) as string | undefined) ?? otherwise;
  if (!known.includes(value)) throw new ConfigError(`--${name}: it is ${known.join(' or ')}; got ${value}. Write --${name} ${nearest(value, known) ?? otherwise}.`);
  return value;
}
