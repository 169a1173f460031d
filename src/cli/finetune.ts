import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { openPictures } from '../data/open.node.js';
import { splitHeldOut } from '../data/pictures.js';
import { writeAtomic } from '../io/atomic.node.js';
import { fixed, percent } from '../core/numbers.js';
import { encodeSafetensors } from '../io/safetensors.js';
import { buildClassifier } from '../checkpoints/classifier.js';
import { openNamedEncoder } from '../train/named-encoder.node.js';
import { scaledText } from '../eval/monitors.js';
import { moduleTensors } from '../checkpoints/module-state.js';
import { checkSupervised, supervisedRecipe, trainClassifier } from '../train/supervised.js';
import type { Precision } from '../ops/precision.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './checks.js';
import type { Call, Command } from './command.js';
import { adapterFlag, commonFlags, openDevice, Output } from './common.js';
import { saidFlags, saidOf, tellOf } from './encoder.js';
import { tellPictures } from './loading.js';

const flags: readonly Flag[] = [
  { name: 'out', kind: 'text', help: 'folder of the classifier (runs/finetuned)' },
  { name: 'classes', kind: 'list', help: 'use these classes (sub-folders) only' },
  { name: 'limit', kind: 'number', help: 'use at most so many pictures a class' },
  { name: 'held-out', kind: 'number', help: 'part of the pictures kept to measure accuracy (0.2)' },
  { name: 'epochs', kind: 'number', help: 'passes over the pictures (20)' },
  { name: 'batch', kind: 'number', help: 'pictures a step (32)' },
  { name: 'lr', kind: 'number', help: 'highest learning rate (0.05 for a ResNet by SGD, 0.001 for a vision transformer by AdamW)' },
  { name: 'crop-min', kind: 'number', help: 'smallest part of a picture that a view shows (0.4)' },
  { name: 'precision', kind: 'text', help: 'f32, or f16: activations as halves, parameters f32, the loss scaled (f32)' },
  { name: 'seed', kind: 'number', help: 'seed of everything random (1)' },
  ...saidFlags,
  adapterFlag,
  ...commonFlags,
];

const help = `dawngrad finetune RUN_OR_CHECKPOINT DATA [flags]

Trains a classifier of the classes in DATA (its sub-folders): the encoder of the run or checkpoint, whose head is
replaced by a linear one, is trained whole. Writes classifier.safetensors, with the names of torchvision or timm,
and metrics.jsonl, a line an epoch.

Examples
  dawngrad finetune runs/photos labelled --epochs 30 --out runs/classifier
  dawngrad finetune moco_v2_800ep_pretrain.pth.tar labelled --batch 16 --lr 0.01

${describeFlags(flags)}`;

/** `dawngrad finetune`. */
export const finetune: Command = { flags, help, run: runFinetune };

async function runFinetune(args: Parsed, call: Call): Promise<number> {
  const { flags: given, positional: [from, data, ...more] } = args;
  if (data === undefined || more.length > 0)
    throw new ConfigError('finetune: it takes a run or checkpoint, and pictures in folders by class. Write dawngrad finetune runs/photos labelled.');
  const out = (given.get('out') as string | undefined) ?? 'runs/finetuned';
  if (existsSync(join(out, 'classifier.safetensors')))
    throw new ConfigError(`${out}: a classifier needs a folder of its own; got one that holds a classifier. Choose another --out.`);
  const output = new Output(args);
  const result = await tune(args, output, { from, data, out }, call);
  output.result(`${percent(result.accuracy)} of ${result.heldOut} held-out pictures are told right. Classifier: ${result.file}`, result);
  return 0;
}

interface Tuned {
  accuracy: number;
  heldOut: number;
  file: string;
}

async function tune({ flags: given }: Parsed, output: Output, { from, data, out }: Record<'from' | 'data' | 'out', string>, call: Call): Promise<Tuned> {
  const value = <T>(name: string, otherwise: T) => (given.get(name) as T | undefined) ?? otherwise;
  const { model, stem, heads, size, mean, std, tensors } = tellOf(await openNamedEncoder(from, saidOf({ flags: given })), output);
  const [seed, cropMin] = [value('seed', 1), value('crop-min', 0.4)];
  const chosen = { classes: given.get('classes') as string[] | undefined, limitPerClass: given.get('limit') as number | undefined };
  const recipe = supervisedRecipe(model);
  const epochs = value('epochs', 20);
  const config = {
    ...recipe, epochs, warmup: Math.min(recipe.warmup, epochs / 2), batch: value('batch', 32), lr: value('lr', recipe.lr),
    precision: value<Precision>('precision', 'f32'), cropMin, size, mean, std, seed,
  };
  checkSupervised(config);
  checkData(data);
  const opened = await openDevice({ flags: given });
  const all = await openPictures(data, { views: size, cropMin, seed, ...chosen });
  tellPictures(all, output);
  const sets = splitHeldOut(all, value('held-out', 0.2), seed);
  const classes = all.classes ?? [];
  output.tell(`${model} from ${from} on ${opened.name}: ${sets.train.count} pictures in ${classes.length} classes, ${sets.heldOut.count} held out.`);
  const classifier = await buildClassifier(model, { classes: Math.max(1, classes.length), stem, heads, size, seed }, tensors, from);
  const records = await trainClassifier(classifier, sets, config, {
    onEpoch: (r) => output.tell(`epoch ${r.epoch}/${epochs}  loss ${fixed(r.loss)}  accuracy ${percent(r.accuracy)}`),
    onWarning: (text) => output.warn(text),
  });
  const last = records.at(-1)!;
  if (last.skipped !== undefined) output.tell(scaledText(last.skipped, epochs * Math.floor(sets.train.count / config.batch), last.lossScale!));
  const file = join(out, 'classifier.safetensors');
  const metadata = {
    format: 'dawngrad-classifier', ...call, model, stem, ...(heads && { heads: String(heads) }),
    size: String(size), mean: mean.join(), std: std.join(), classes: JSON.stringify(classes),
  };
  await writeAtomic(join(out, 'metrics.jsonl'), records.map((r) => `${JSON.stringify(r)}\n`).join(''));
  await writeAtomic(file, encodeSafetensors(await moduleTensors(classifier), metadata));
  return { accuracy: last.accuracy, heldOut: sets.heldOut.count, file };
}
