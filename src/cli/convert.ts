import { configIn, resumable } from '../checkpoints/convert.js';
import { type EncoderFile, encoderOf, headsOf } from '../checkpoints/encoder.js';
import { nonFinite } from '../checkpoints/finite.js';
import type { Weights } from '../checkpoints/layout.js';
import { readWeights } from '../checkpoints/weights.node.js';
import { ConfigError } from '../core/errors.js';
import { SYNTHETIC } from '../data/synthetic.js';
import { writeAtomic } from '../io/atomic.node.js';
import { encodeSafetensors } from '../io/safetensors.js';
import { demoConfig, type PretrainConfig, pretrainSettings } from '../moco/config.js';
import { presets } from '../moco/presets.js';
import { familyOf } from '../nn/families.js';
import { OF_A_RUN } from '../train/checkpoint-about.node.js';
import { checkFree, startRun } from '../train/open-run.node.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import { checkData } from './check-flags.js';
import type { Call, Command } from './command.js';
import { commonFlags, encoderFlags, flagOf, ownFlags, settingFlags, sharedFlag } from './flags.js';
import { pathOf } from './open-data.js';
import { encoderOptions, logEncoder } from './open-encoder.js';
import { Output } from './output.js';
import { configFrom } from './pretrain-flags.js';

const flags: readonly Flag[] = [
  ...ownFlags({
    encoder: { kind: 'switch', help: "only the query encoder without its head, with torchvision's names" },
    data: { kind: 'text', help: 'pictures that the run goes on with; without it, synthetic pictures' },
  }),
  sharedFlag('count', { default: 1000 }),
  ...encoderFlags.filter(({ name }) => name !== 'stem'), // a flag of the method already
  ...commonFlags,
];

const method = settingFlags(pretrainSettings);

const help = `dawngrad convert CHECKPOINT OUT [flags]

Reads a checkpoint of PyTorch (.pth, .pth.tar; MoCo's layouts with or without module.) or safetensors.
OUT.safetensors gets its tensors; any other OUT becomes a run that dawngrad pretrain --resume continues, with a new
schedule and the method's flags, and the heads, queue and state of the optimizer that the checkpoint holds (MoCo v3:
LARS for a ResNet, AdamW for a vision transformer, unless --optimizer says otherwise). A gradient scaler is left out.

Examples
  dawngrad convert moco_v2_800ep_pretrain.pth.tar moco.safetensors
  dawngrad convert moco_v2_800ep_pretrain.pth.tar encoder.safetensors --encoder
  dawngrad convert moco_v2_800ep_pretrain.pth.tar runs/mine --data photos --epochs 20 --batch 64 --lr 0.0075
  dawngrad convert vit-s-300ep.pth.tar runs/vit --data photos --epochs 20 --batch 64

${describeFlags(flags)}

The method, when OUT is a run
${describeFlags(method)}`;

/** `dawngrad convert`. */
export const convert: Command = { flags: [...flags, ...method], help, run: runConvert };

async function runConvert(args: Parsed, call: Call): Promise<number> {
  const output = new Output(args);
  const [file, out, ...more] = args.positional;
  if (out === undefined || more.length > 0)
    throw new ConfigError(
      `convert: it takes a checkpoint and where to write it; ` +
        `got ${args.positional.length} names. Write dawngrad convert IN.pth.tar OUT.safetensors.`,
    );
  checkData(args.flags.get('data') as string | undefined);
  if (!out.endsWith('.safetensors')) {
    configFrom(args);
    checkFree(out);
  }
  const weights = await readWeights(file);
  if (!out.endsWith('.safetensors')) return toRun(output, args, call, weights, file, out);
  const tensors = args.flags.has('encoder') ? encoderAlone(output, args, weights, file) : all(output, weights, file);
  await writeAtomic(out, encodeSafetensors(tensors, weights.metadata));
  const values = [...tensors.values()].reduce((n, t) => n + t.data.length, 0);
  output.result(`${out}: ${tensors.size} tensors, ${values} values.`, { out, tensors: tensors.size, values });
  return 0;
}

/** The encoder without its head. */
function encoderAlone(output: Output, args: Parsed, weights: Weights, file: string): Weights['tensors'] {
  const { tensors, family } = logEncoder(encoderOf(weights, file, encoderOptions(args)), output);
  const isHead = headsOf(family);
  return new Map([...tensors].filter(([name]) => !isHead(name)));
}

/** Every tensor that is read, whatever it belongs to. */
function all(output: Output, { tensors, skipped = new Map(), notes = [] }: Weights, file: string): Weights['tensors'] {
  for (const [name, type] of skipped) output.warn(`${file}: ${name} is left out: it is ${type}, which is not read.`);
  for (const note of notes) output.warn(`${file}: ${note}`);
  const wrong = nonFinite(tensors);
  if (wrong) output.warn(`${file}: ${wrong}.`);
  return tensors;
}

async function toRun(
  output: Output,
  args: Parsed,
  { version, command }: Call,
  weights: Weights,
  file: string,
  out: string,
): Promise<number> {
  const { size: _, ...options } = encoderOptions(args);
  const { config: found, encoder } = configIn(weights, file, options);
  const config = agreed(args, found, file);
  const { tensors, metadata } = resumable(
    weights,
    file,
    config,
    logEncoder({ ...encoder, taken: leftOf(weights, encoder, file) }, output),
  );
  const data = pathOf(args.flags.get('data') as string | undefined);
  const choice = data === SYNTHETIC ? { count: (args.flags.get('count') as number | undefined) ?? 1000 } : {};
  const about = { adapter: 'not known before it is resumed', command, data, choice, config };
  const facts = Object.fromEntries(Object.entries(metadata).filter(([key]) => !OF_A_RUN.includes(key)));
  const bytes = encodeSafetensors(tensors, { ...facts, version, step: '0', metrics: '0' });
  const run = await startRun(out, about, (to) => writeAtomic(to.file('checkpoint.safetensors'), bytes));
  run.close();
  const { method, model, head, dim, K } = config;
  const what =
    method === 'moco'
      ? `a run of ${model} with ${K} keys in its queue`
      : `a run of ${method} with ${model} and ${config.optimizer}`;
  const epoch = metadata.epoch === undefined ? '' : `, though it was saved at epoch ${metadata.epoch}`;
  output.result(`${out}: ${what}. Its schedule starts anew${epoch}. Continue with: dawngrad pretrain --resume ${out}`, {
    out,
    method,
    model,
    ...(method === 'moco' ? { head, dim, K } : { dim }),
  });
  return 0;
}

/** What a run does not go on with: of others than the parts of its method. */
function leftOf({ tensors }: Weights, { prefix }: EncoderFile, file: string): string | undefined {
  const isOurs = (name: string) =>
    name.startsWith(prefix) ||
    /^(encoder_[qk]|encoder|base_encoder|momentum_encoder|predictor|optimizer)\.|^queue(_ptr)?$/.test(name);
  const left = [...new Set([...tensors.keys()].filter((name) => !isOurs(name)).map((name) => name.split('.', 1)[0]))];
  return left.length > 0
    ? `${file}: not used: ${left.slice(0, 12).join(', ')}${left.length > 12 ? ', …' : ''}.`
    : undefined;
}

/**
 * The configuration that flags, a preset or a file of fields ask for. @throws ConfigError where it contradicts the
 * checkpoint.
 */
function agreed(args: Parsed, found: Partial<PretrainConfig>, file: string): PretrainConfig {
  const config = configFrom(args, { ...defaultsFor(found), ...found });
  for (const [key, value] of Object.entries(found) as [keyof PretrainConfig, unknown][])
    if (config[key] !== value)
      throw new ConfigError(
        `--${flagOf(key)}: it must be what ${file} holds, ${String(value)}; got ${String(config[key])}. ` +
          `Leave it out, or convert another checkpoint.`,
      );
  return config;
}

/**
 * The configuration where flags say nothing: of the demonstration, at the size and with the optimizer that the model
 * needs.
 */
function defaultsFor({ method, model, stem, size }: Partial<PretrainConfig>): PretrainConfig {
  const large = size === undefined ? stem === 'imagenet' : size >= 64;
  if (method !== 'moco-v3') return { ...demoConfig, ...(large && imagenet) };
  const { presets: of } = familyOf(model!).recipe;
  const { optimizer, lr, lrBatch, weightDecay, T } = presets[of.published];
  return { ...presets[of.demo], ...(large && imagenet), optimizer, lr, lrBatch, weightDecay, T };
}

/** What pictures of ImageNet's size need. */
const imagenet: Partial<PretrainConfig> = {
  size: 224,
  blur: true,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
