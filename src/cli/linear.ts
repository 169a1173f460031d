import { dirname, join } from 'node:path';
import { buildEncoder } from '../checkpoints/encoder.js';
import { percent } from '../core/numbers.js';
import { pickSettings } from '../core/settings.js';
import { EMBEDDED } from '../eval/embed.js';
import { checkLinear, type LinearConfig, linearRecipes, linearSettings } from '../eval/linear-config.js';
import type { LinearRecord } from '../eval/linear-fit.js';
import { type LinearResult, linearProbe } from '../eval/linear-probe.js';
import type { Sweep } from '../eval/linear-sweep.js';
import { writeAtomic } from '../io/atomic.node.js';
import { encodeSafetensors } from '../io/safetensors.js';
import { findRun } from '../train/open-run.node.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Command } from './command.js';
import { ownFlags, settingFlags, settingsFrom, sharedFlag } from './flags.js';
import { chanceOf, type Labelled, labelledFlags, type Measured, openLabelled } from './labelled-sets.js';
import { surviving } from './open-device.js';
import { Output } from './output.js';

/** The settings of linear evaluation that have flags of their own, and what holds without them. */
const tuned = pickSettings(linearSettings, ['lr', 'epochs', 'batch', 'cropMin']);
const recipes = Object.keys(linearRecipes);

const flags: readonly Flag[] = [
  ...ownFlags({
    recipe: {
      kind: 'text',
      choices: recipes,
      help: `${recipes.join(', ')} (the run's method's; else what the file tells, v1 for a ResNet without v3's head)`,
    },
    augment: { kind: 'switch', help: linearSettings.views.help },
  }),
  ...settingFlags(tuned, { epochs: "the recipe's", batch: "the recipe's", cropMin: linearSettings.cropMin.default }),
  sharedFlag('out', {
    help: 'folder for linear.json and linear.safetensors',
    default: "the run's, or the checkpoint's",
  }),
  ...labelledFlags,
];

const help = `dawngrad linear RUN_OR_CHECKPOINT [DATA] [flags]

Trains a linear classifier on the frozen encoder's features, the measure that papers report, and checks that nothing
but the classifier changed, to the bit. Without DATA, a run's own pictures are used.
Recipes: v1 (MoCo v1 and v2: lr 30, batch 256, 100 epochs, a tenth at 60 and 80), v3 (ResNets: lr 0.1, batch 1024, 90
epochs, cosine) and v3-vit (the same with lr 3). Their rates suit ImageNet: six about the recipe's are tried on a
held-out fifth of the training pictures, and the best one trains on all of them; --lr takes one as it is. The pictures
to measure on are looked at once, when training has ended.

Examples
  dawngrad linear runs/photos
  dawngrad linear moco_v2_800ep_pretrain.pth.tar photos/train --test photos/val --augment

${describeFlags(flags)}`;

/** `dawngrad linear`. */
export const linear: Command = { flags, help, run: runLinear };

async function runLinear(args: Parsed): Promise<number> {
  const output = new Output(args);
  const recipe = args.flags.get('recipe') as keyof typeof linearRecipes | undefined;
  const chosen = (of: Measured) => {
    const used = recipe ?? recipeFor(of);
    const config = configFrom(args, linearRecipes[used]);
    checkLinear({ ...config, ...of.encoder.normalisation });
    return { used, config };
  };
  const largest = ({ views, batch }: LinearConfig) => (views === 'augment' ? Math.max(batch, EMBEDDED) : EMBEDDED);
  const cropMin = args.flags.has('augment')
    ? ((args.flags.get('crop-min') as number | undefined) ?? linearRecipes.v1.cropMin)
    : undefined;
  const labelled = await openLabelled('linear', args, output, { batch: (of) => largest(chosen(of).config), cropMin });
  const { from, encoder, train, heldOut, ahead } = labelled;
  const { used, config: asked } = chosen(labelled);
  const config = { ...asked, ...encoder.normalisation };
  const sweep = !args.flags.has('lr');
  const onSweep = (found: Sweep, lr: number) => output.log(sweepText(found, lr));
  const onEpoch = (r: LinearRecord) => output.log(progress(r, config.epochs));
  const data = { train, heldOut, config, sweep, stored: encoder.tensors, ahead, onSweep, onEpoch };
  const result = await surviving(args, output, () => linearProbe(buildEncoder(encoder, from), data));
  const out = (args.flags.get('out') as string | undefined) ?? findRun(from)?.folder ?? dirname(from);
  const { classifier, ...measured } = result;
  for (const text of result.warnings) output.warn(text);
  const pictures = { train: train.count, heldOut: heldOut.count, classes: train.classes };
  const about = { encoder: from, recipe: used, config: { ...config, lr: result.lr }, pictures, ...measured };
  await writeAtomic(join(out, 'linear.json'), `${JSON.stringify(about, null, 2)}\n`);
  await writeAtomic(
    join(out, 'linear.safetensors'),
    encodeSafetensors(classifier, { format: 'dawngrad-linear', classes: JSON.stringify(train.classes ?? []) }),
  );
  output.result(
    `${resultTable(labelled, config, used, result)}\nWritten: ${join(out, 'linear.json')}, ` +
      `${join(out, 'linear.safetensors')}`,
    about,
  );
  return 0;
}

/**
 * By the run's method; a checkpoint without a run is MoCo v3's if its family is MoCo v3's or its head has batch norm,
 * as v3's alone has.
 */
function recipeFor({ config, encoder: { family, tensors } }: Measured): keyof typeof linearRecipes {
  const v3 = config
    ? config.method === 'moco-v3'
    : family.recipe.method === 'moco-v3' || tensors.has(`${family.head}.1.running_mean`);
  return v3 ? family.recipe.linear : 'v1';
}

/** The recipe as flags change it; its milestones stay at the same parts of a shorter training. */
function configFrom(args: Parsed, recipe: LinearConfig): LinearConfig {
  const chosen = settingsFrom(args, pickSettings(linearSettings, ['lr', 'epochs', 'batch', 'cropMin', 'seed']), recipe);
  const milestones = recipe.milestones.map((m) => Math.round((m * chosen.epochs) / recipe.epochs));
  return { ...chosen, milestones, views: args.flags.has('augment') ? 'augment' : 'cached' };
}

/** What each learning rate came to, and which is taken. */
function sweepText({ rates, measured, trained }: Sweep, lr: number): string {
  const cells = rates
    .map((r) => `${r.lr}: ${Number.isFinite(r.accuracy) ? percent(r.accuracy) : 'diverged'}`)
    .join(', ');
  return (
    `Learning rates, by ${measured} of the training pictures after training on ${trained}: ${cells}. ` +
    `${lr} is taken.`
  );
}

const progress = ({ epoch, loss, trainTop1 }: LinearRecord, epochs: number): string =>
  `epoch ${epoch}/${epochs}  loss ${loss.toFixed(3)}  train ${percent(trainTop1)}`;

function resultTable(
  { from, train, heldOut }: Labelled,
  { views }: LinearConfig,
  recipe: string,
  result: LinearResult,
): string {
  const many = new Set(train.labels).size > 5; // else the right class is always among five
  const {
    lr,
    sweep,
    epochs,
    heldOut: { top1, top5 },
  } = result;
  const cells: [string, number][] = [
    ['train top 1', epochs.at(-1)!.trainTop1],
    ['held-out top 1', top1],
  ];
  if (many) cells.push(['held-out top 5', top5]);
  const how =
    views === 'augment'
      ? 'random crops and flips in each epoch'
      : 'features computed once, without crops and flips (--augment is as in the papers)';
  const rate = sweep ? `the best of ${sweep.rates.length} on a part of the training pictures` : 'as given';
  return [
    `Linear classifier of ${heldOut.count} held-out pictures, trained on ${train.count} by recipe ${recipe}, ` +
      `on ${from}: ${how}.`,
    ...cells.map(([name, value]) => `  ${name.padEnd(14)}  ${percent(value).padStart(7)}`),
    `Measured once, after epoch ${epochs.length}, with learning rate ${lr} (${rate}). ` +
      `Guessing gives ${percent(chanceOf(train))}.`,
    "Nothing but the classifier changed: every tensor of the encoder equals the checkpoint's to the bit.",
  ].join('\n');
}
