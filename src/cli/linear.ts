import { dirname, join } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { writeAtomic } from '../io/atomic.node.js';
import { percent } from '../io/numbers.js';
import { encodeSafetensors } from '../io/safetensors.js';
import { EMBEDDED } from '../moco/embed.js';
import { buildEncoder, isVit } from '../moco/encoder.js';
import { checkLinear, type LinearConfig, linearRecipes } from '../moco/linear_config.js';
import { findRun } from '../moco/run.node.js';
import { linearProbe, type LinearRecord, type LinearResult } from '../moco/linear_probe.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { Output } from './common.js';
import { chanceOf, type Labelled, labelledFlags, type Measured, openLabelled } from './labelled.js';

const numbers = {
  epochs: 'passes over the pictures', batch: 'pictures a step', lr: 'learning rate for a batch of 256; it grows in proportion to the batch',
  'crop-min': 'smallest part of a picture that a crop shows (0.08)',
} as const;

const flags: readonly Flag[] = [
  { name: 'recipe', kind: 'text', help: `${Object.keys(linearRecipes).join(', ')} (the run's method's; else v1)` },
  { name: 'augment', kind: 'switch', help: 'new crops and flips in each epoch, as in the papers; without it, features are computed once' },
  ...Object.entries(numbers).map(([name, text]): Flag => ({ name, kind: 'number', help: `${text}${name === 'crop-min' ? '' : " (the recipe's)"}` })),
  { name: 'out', kind: 'text', help: "folder for linear.json and linear.safetensors (the run's, or the checkpoint's)" },
  ...labelledFlags,
];

const help = `dawngrad linear RUN_OR_CHECKPOINT [DATA] [flags]

Trains a linear classifier on the frozen encoder's features, the measure that papers report, and checks that nothing
but the classifier changed, to the bit. Without DATA, a run's own pictures are used.
Recipes: v1 (MoCo v1 and v2: lr 30, batch 256, 100 epochs, a tenth at 60 and 80), v3 (ResNets: lr 0.1, batch 1024,
90 epochs, cosine) and v3-vit (the same with lr 3).

Examples
  dawngrad linear runs/photos
  dawngrad linear moco_v2_800ep_pretrain.pth.tar photos/train --test photos/val --augment

${describeFlags(flags)}`;

/** `dawngrad linear`. */
export const linear: Command = { flags, help, run: runLinear };

async function runLinear(args: Parsed): Promise<number> {
  const output = new Output(args);
  const recipe = args.flags.get('recipe') as string | undefined;
  if (recipe !== undefined && !Object.hasOwn(linearRecipes, recipe))
    throw new ConfigError(`--recipe: it is one of ${Object.keys(linearRecipes).join(', ')}; got ${recipe}. Choose one.`);
  const chosen = (of: Measured) => {
    const used = (recipe ?? recipeFor(of)) as keyof typeof linearRecipes;
    const config = configFrom(args, linearRecipes[used]);
    checkLinear({ ...config, ...of.encoder.normalisation });
    return { used, config };
  };
  const largest = ({ views, batch }: LinearConfig) => (views === 'augment' ? Math.max(batch, EMBEDDED) : EMBEDDED);
  const labelled = await openLabelled('linear', args, output, (of) => largest(chosen(of).config));
  const { from, encoder, train, heldOut, ahead } = labelled;
  const { used, config: asked } = chosen(labelled);
  const config = { ...asked, ...encoder.normalisation };
  const onEpoch = (r: LinearRecord) => output.tell(progress(r, config.epochs));
  const result = await linearProbe(buildEncoder(encoder, from), { train, heldOut, config, stored: encoder.tensors, ahead, onEpoch });
  const out = (args.flags.get('out') as string | undefined) ?? findRun(from)?.folder ?? dirname(from);
  const { epochs, best, classifier } = result;
  const about = { encoder: from, recipe: used, config, pictures: { train: train.count, heldOut: heldOut.count, classes: train.classes }, best, epochs };
  await writeAtomic(join(out, 'linear.json'), `${JSON.stringify(about, null, 2)}\n`);
  await writeAtomic(join(out, 'linear.safetensors'), encodeSafetensors(classifier, { format: 'dawngrad-linear', classes: JSON.stringify(train.classes ?? []) }));
  output.result(`${resultTable(labelled, config, used, result)}\nWritten: ${join(out, 'linear.json')}, ${join(out, 'linear.safetensors')}`, about);
  return 0;
}

const recipeFor = ({ config, encoder }: Measured): keyof typeof linearRecipes =>
  (config && config.method !== 'moco-v3' ? 'v1' : isVit(encoder.architecture) ? 'v3-vit' : config ? 'v3' : 'v1');

function configFrom({ flags: given }: Parsed, recipe: LinearConfig): LinearConfig {
  const number = (name: string, otherwise: number) => (given.get(name) as number | undefined) ?? otherwise;
  const { epochs, batch, lr, cropMin, seed } = recipe;
  const chosen = {
    epochs: number('epochs', epochs), batch: number('batch', batch), lr: number('lr', lr),
    cropMin: number('crop-min', cropMin), seed: number('seed', seed),
  };
  const milestones = recipe.milestones.map((m) => Math.round((m * chosen.epochs) / epochs)); // at the same parts of a shorter training
  return { ...recipe, ...chosen, milestones, views: given.has('augment') ? 'augment' : 'cached' };
}

const progress = ({ epoch, loss, trainTop1, heldOutTop1 }: LinearRecord, epochs: number): string =>
  `epoch ${epoch}/${epochs}  loss ${loss.toFixed(3)}  train ${percent(trainTop1)}  held-out ${percent(heldOutTop1)}`;

function resultTable({ from, train, heldOut }: Labelled, { views, epochs }: LinearConfig, recipe: string, { best, epochs: all }: LinearResult): string {
  const many = new Set(train.labels).size > 5; // else the right class is always among five
  const cells = (r: LinearRecord) => [r.trainTop1, r.heldOutTop1, ...(many ? [r.heldOutTop5] : [])].map((v) => percent(v).padStart(16));
  const row = (name: string, r: LinearRecord) => `  ${name.padEnd(22)}${cells(r).join('')}`;
  const how = views === 'augment' ? 'random crops and flips in each epoch' : 'features computed once, without crops and flips (--augment is as in the papers)';
  return [
    `Linear classifier of ${heldOut.count} held-out pictures, trained on ${train.count} by recipe ${recipe}, on ${from}: ${how}.`,
    `  ${''.padEnd(22)}${['train top 1', 'held-out top 1', ...(many ? ['held-out top 5'] : [])].map((v) => v.padStart(16)).join('')}`,
    row(`best, epoch ${best.epoch}`, best), row(`last, epoch ${epochs}`, all.at(-1)!),
    `Guessing gives ${percent(chanceOf(train))}. Nothing but the classifier changed: every tensor of the encoder equals the checkpoint's to the bit.`,
  ].join('\n');
}
