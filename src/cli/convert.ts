import { resolve } from 'node:path';
import { ConfigError } from '../core/errors.js';
import { writeAtomic } from '../io/atomic.node.js';
import { encodeSafetensors } from '../io/safetensors.js';
import { demoConfig, type PretrainConfig } from '../moco/config.js';
import { encoderWeights, type Weights } from '../moco/layout.js';
import { resumable } from '../moco/resumable.js';
import { startRun } from '../moco/run.node.js';
import { readWeights } from '../moco/weights.node.js';
import { describeFlags, type Flag, type Parsed } from './args.js';
import type { Call, Command } from './command.js';
import { commonFlags, Output } from './common.js';
import { configFlags, configFrom } from './pretrain-flags.js';

const flags: readonly Flag[] = [
  { name: 'encoder', kind: 'switch', help: "only the query encoder without its head, with torchvision's names" },
  { name: 'data', kind: 'text', help: 'pictures that the run goes on with; without it, drawn pictures' },
  { name: 'count', kind: 'number', help: 'pictures to draw when there is no data (1000)' },
  ...commonFlags,
];

const help = `dawngrad convert CHECKPOINT OUT [flags]

Reads a checkpoint of PyTorch (.pth, .pth.tar; MoCo's layouts with or without module.) or safetensors.
OUT.safetensors gets its tensors; any other OUT becomes a run that dawngrad pretrain --resume continues,
with a new schedule and the method's flags, and the head, queue and momentum that the checkpoint holds.

Examples
  dawngrad convert moco_v2_800ep_pretrain.pth.tar moco.safetensors
  dawngrad convert moco_v2_800ep_pretrain.pth.tar encoder.safetensors --encoder
  dawngrad convert moco_v2_800ep_pretrain.pth.tar runs/mine --data photos --epochs 20 --batch 64 --lr 0.0075

${describeFlags(flags)}

The method, when OUT is a run
${describeFlags(configFlags(demoConfig))}`;

/** `dawngrad convert`. */
export const convert: Command = { flags: [...flags, ...configFlags(demoConfig)], help, run: runConvert };

async function runConvert(args: Parsed, call: Call): Promise<number> {
  const output = new Output(args);
  const [file, out, ...more] = args.positional;
  if (out === undefined || more.length > 0) throw new ConfigError(`convert: it takes a checkpoint and where to write it; got ${args.positional.length} names. Write dawngrad convert IN.pth.tar OUT.safetensors.`);
  const weights = await readWeights(file);
  if (!out.endsWith('.safetensors')) return toRun(output, args, call, weights, file, out);
  const tensors = args.flags.has('encoder') ? new Map([...encoderWeights(weights.tensors, file)].filter(([name]) => !/^(fc|head)\./.test(name))) : weights.tensors;
  await writeAtomic(out, encodeSafetensors(tensors, weights.metadata));
  const values = [...tensors.values()].reduce((n, t) => n + t.data.length, 0);
  output.result(`${out}: ${tensors.size} tensors, ${values} values.`, { out, tensors: tensors.size, values });
  return 0;
}

async function toRun(output: Output, args: Parsed, { version, command }: Call, weights: Weights, file: string, out: string): Promise<number> {
  const asked = configFrom(args);
  const { tensors, metadata, architecture: { model, stem, head, dim }, K } = resumable(weights, file, asked.K);
  const config = { ...configFrom(args, { ...demoConfig, ...(stem === 'imagenet' && imagenet) }), model, stem, head, dim, K } as PretrainConfig;
  const data = args.flags.get('data') as string | undefined;
  const choice = data === undefined ? { count: (args.flags.get('count') as number | undefined) ?? 1000 } : {};
  const run = await startRun(out, { version, adapter: 'not known before it is resumed', command, data: data === undefined ? 'drawn' : resolve(data), choice, config });
  await writeAtomic(run.file('checkpoint.safetensors'), encodeSafetensors(tensors, { ...metadata, version }));
  output.result(`${out}: a run of ${model} with ${K} keys in its queue. Continue with: dawngrad pretrain --resume ${out}`, { out, model, head, dim, K });
  return 0;
}

/** What pictures of ImageNet's size need. */
const imagenet: Partial<PretrainConfig> = { size: 224, blur: true, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
