import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildClassifier } from '../checkpoints/classifier.js';
import { moduleTensors } from '../checkpoints/module-state.js';
import { ConfigError } from '../core/errors.js';
import { fixed, percent } from '../core/numbers.js';
import { defaultsOf, settings } from '../core/settings.js';
import { openPictures } from '../data/open-pictures.node.js';
import { splitHeldOut } from '../data/pictures.js';
import { scaledText } from '../eval/monitors.js';
import { writeAtomic } from '../io/atomic.node.js';
import { encodeSafetensors } from '../io/safetensors.js';
import { pretrainSettings } from '../moco/config.js';
import { openNamedEncoder } from '../train/named-encoder.node.js';
import { checkSupervised, supervisedRecipe, trainClassifier } from '../train/supervised.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './check-flags.js';
import type { Call, Command } from './command.js';
import { adapterFlag, commonFlags, encoderFlags, settingFlags, settingsFrom, sharedFlag } from './flags.js';
import { openDevice, surviving } from './open-device.js';
import { encoderOptions, logEncoder } from './open-encoder.js';
import { Output } from './output.js';
import { logPictures } from './picture-warnings.js';

const { epochs, batch, lr, cropMin, precision, seed } = pretrainSettings;

/** Every setting of fine-tuning that has a flag; the rest is the recipe of the encoder's family. */
export const finetuneSettings = settings({
  epochs: { ...epochs, default: 20 },
  batch,
  lr: { ...lr, help: 'highest learning rate' },
  cropMin,
  precision,
  seed,
});

const recipes = '0.05 for a ResNet by SGD, 0.001 for a vision transformer by AdamW';

const flags: readonly Flag[] = [
  sharedFlag('out', { help: 'folder of the classifier', default: 'runs/finetuned' }),
  sharedFlag('classes'),
  sharedFlag('limit'),
  sharedFlag('held-out', { default: 0.2 }),
  ...settingFlags(finetuneSettings, { ...defaultsOf(finetuneSettings), lr: recipes }),
  ...encoderFlags,
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
  const {
    flags: given,
    positional: [from, data, ...more],
  } = args;
  if (data === undefined || more.length > 0)
    throw new ConfigError(
      'finetune: it takes a run or checkpoint, and pictures in folders by class. ' +
        'Write dawngrad finetune runs/photos labelled.',
    );
  const out = (given.get('out') as string | undefined) ?? 'runs/finetuned';
  if (existsSync(join(out, 'classifier.safetensors')))
    throw new ConfigError(
      `${out}: a classifier needs a folder of its own; got one that holds a classifier. Choose another --out.`,
    );
  const output = new Output(args);
  const result = await tune(args, output, { from, data, out }, call);
  output.result(
    `${percent(result.accuracy)} of ${result.heldOut} held-out pictures are classified right. Classifier: ` +
      `${result.file}`,
    result,
  );
  return 0;
}

interface Tuned {
  accuracy: number;
  heldOut: number;
  file: string;
}

async function tune(
  { flags: given }: Parsed,
  output: Output,
  { from, data, out }: Record<'from' | 'data' | 'out', string>,
  call: Call,
): Promise<Tuned> {
  const flag = <T>(name: string) => given.get(name) as T | undefined;
  const encoder = logEncoder(await openNamedEncoder(from, encoderOptions({ flags: given })), output);
  const { model, stem, heads, size, mean, std, tensors } = encoder;
  const recipe = supervisedRecipe(model);
  const asked = settingsFrom({ flags: given }, finetuneSettings, { ...defaultsOf(finetuneSettings), ...recipe });
  const config = { ...asked, warmup: Math.min(recipe.warmup, asked.epochs / 2), size, mean, std };
  const { epochs, cropMin, seed } = config;
  checkSupervised(config);
  checkData(data);
  const opened = await openDevice({ flags: given });
  const chosen = { classes: flag<string[]>('classes'), limitPerClass: flag<number>('limit') };
  const all = await openPictures(data, { views: size, cropMin, seed, ...chosen });
  logPictures(all, output);
  const sets = splitHeldOut(all, flag<number>('held-out') ?? 0.2, seed);
  const classes = all.classes ?? [];
  const counts = `${sets.train.count} pictures in ${classes.length} classes, ${sets.heldOut.count} held out.`;
  output.log(`${model} from ${from} on ${opened.name}: ${counts}`);
  const shape = { classes: Math.max(1, classes.length), stem, heads, size, seed };
  const { records, state } = await surviving({ flags: given }, output, async () => {
    const classifier = await buildClassifier(model, shape, tensors, from);
    const records = await trainClassifier(classifier, sets, config, {
      onEpoch: (r) => output.log(`epoch ${r.epoch}/${epochs}  loss ${fixed(r.loss)}  accuracy ${percent(r.accuracy)}`),
      onWarning: (text) => output.warn(text),
    });
    return { records, state: await moduleTensors(classifier) };
  });
  const last = records.at(-1)!;
  if (last.skipped !== undefined)
    output.log(scaledText(last.skipped, epochs * Math.floor(sets.train.count / config.batch), last.lossScale!));
  const file = join(out, 'classifier.safetensors');
  await writeAtomic(join(out, 'metrics.jsonl'), records.map((r) => `${JSON.stringify(r)}\n`).join(''));
  await writeAtomic(file, encodeSafetensors(state, metadataOf(encoder, classes, call)));
  return { accuracy: last.accuracy, heldOut: sets.heldOut.count, file };
}

/** What a classifier's file says of it besides its tensors. */
function metadataOf(
  { model, stem, heads, size, mean, std }: Awaited<ReturnType<typeof openNamedEncoder>>,
  classes: readonly string[],
  call: Call,
): Record<string, string> {
  return {
    format: 'dawngrad-classifier',
    ...call,
    model,
    stem,
    ...(heads && { heads: String(heads) }),
    size: String(size),
    mean: mean.join(),
    std: std.join(),
    classes: JSON.stringify(classes),
  };
}
