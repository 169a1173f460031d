import { check, instance, text } from '../core/check.js';
import { FormatError } from '../core/errors.js';
import { numel } from '../core/shape.js';
import { TorchTensor } from '../io/torch-tensor.js';
import type { StoredTensor } from '../io/safetensors.js';

/** Tensors of a checkpoint by the names that dawngrad gives them, and what else is known of it. */
export interface Weights {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

/** Where a network's tensors are in the files of others: the first prefix that fits is taken off. */
const PREFIXES = ['encoder_q.', 'base_encoder.', 'encoder.', 'backbone.', ''];

/** Modules of the CIFAR demonstration's encoder, which numbers them (colab notebook of facebookresearch/moco). */
const NUMBERED: Record<string, string> = { 0: 'conv1', 1: 'bn1', 3: 'layer1', 4: 'layer2', 5: 'layer3', 6: 'layer4', 9: 'fc' };

/** `module.` is put there by DistributedDataParallel; `net.3.0.conv1.weight` is `layer1.0.conv1.weight`. */
export const plainName = (name: string): string =>
  name.replace(/^module\./, '').replace(/(^|\.)net\.(\d+)\./, (all, dot, i) => (NUMBERED[i] ? `${dot}${NUMBERED[i]}.` : all));

/**
 * The tensors of a PyTorch checkpoint: of its `state_dict` or `model`, or the file itself where it is one. The state of
 * SGD and LARS becomes `optimizer.velocity.<parameter>`, AdamW's `optimizer.m` and `v`. A gradient scaler is left out.
 * @throws FormatError where there are no tensors.
 */
export async function torchWeights(content: unknown, file: string): Promise<Weights> {
  check('torchWeights', 'the file', file, text);
  const top = content instanceof Map ? content : new Map();
  const holdsTensors = (v: unknown): v is Map<unknown, unknown> => v instanceof Map && [...v.values()].some((t) => t instanceof TorchTensor);
  const found = [top.get('state_dict'), top.get('model'), top].find(holdsTensors);
  if (!found) throw new FormatError(`${file}: a checkpoint must be a dictionary of tensors, or have one under state_dict or model; got none. Save model.state_dict().`);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, t] of found) if (t instanceof TorchTensor) tensors.set(plainName(String(name)), await t.load());
  for (const [name, t] of await optimizerState(top.get('optimizer'), tensors)) tensors.set(name, t);
  const metadata = Object.fromEntries(['epoch', 'arch'].flatMap((key) => (['string', 'number'].includes(typeof top.get(key)) ? [[key, String(top.get(key))]] : [])));
  return { tensors, metadata: { format: 'dawngrad-moco', ...metadata } };
}

/** State that no gradient reaches. */
export const isBuffer = (name: string): boolean => /(^|\.)(running_mean|running_var|num_batches_tracked|queue|queue_ptr)$/.test(name);

/** PyTorch's names for what optimizers keep of a parameter: SGD's and LARS's velocity (`mu` in moco-v3), AdamW's moments. */
const KEPT: Record<string, string> = { momentum_buffer: 'velocity', mu: 'velocity', exp_avg: 'm', exp_avg_sq: 'v' };

/** An optimizer's state goes by the place of a parameter among all: those of the state dict, in its order, without buffers. */
async function optimizerState(optimizer: unknown, tensors: ReadonlyMap<string, StoredTensor>): Promise<[string, StoredTensor][]> {
  if (!(optimizer instanceof Map)) return [];
  const [states, groups] = [optimizer.get('state') as unknown, optimizer.get('param_groups') as unknown];
  if (!(states instanceof Map) || !Array.isArray(groups)) return [];
  const parameters = [...tensors].filter(([name]) => !isBuffer(name));
  const order = groups.flatMap((group: unknown) => (group instanceof Map && Array.isArray(group.get('params')) ? (group.get('params') as unknown[]) : []));
  const found: [string, StoredTensor][] = [];
  for (const [i, key] of order.entries()) {
    const state = states.get(key) as unknown;
    if (!(state instanceof Map) || !parameters[i]) continue;
    const [name, { shape }] = parameters[i];
    for (const [kept, ours] of Object.entries(KEPT)) {
      const t = state.get(kept) as unknown;
      if (!(t instanceof TorchTensor)) continue;
      if (t.length !== numel(shape)) return []; // of other parameters than these
      found.push([`optimizer.${ours}.${name.replace(/^encoder_q\./, '')}`, await t.load()]);
    }
    if (state.has('exp_avg') && !found.some(([known]) => known === 'optimizer.corrections')) found.push(['optimizer.corrections', await corrections(state.get('step'))]);
  }
  return found;
}

/** AdamW's 1 - beta^steps by the count of steps, a number or since PyTorch 1.12 a tensor, for the betas that MoCo v3 uses. */
async function corrections(step: unknown): Promise<StoredTensor> {
  const steps = Number(step instanceof TorchTensor ? (await step.load()).data[0] : step);
  return { dtype: 'F32', shape: [2], data: Float32Array.from([0.9, 0.999], (beta) => 1 - beta ** steps) };
}

/** The query encoder's tensors by torchvision's or timm's names, without the rest of the method. @throws FormatError if there is none. */
export function encoderWeights(tensors: ReadonlyMap<string, StoredTensor>, file: string): Map<string, StoredTensor> {
  check('encoderWeights', 'the file', file, text);
  check('encoderWeights', 'the tensors', tensors, instance(Map));
  for (const prefix of PREFIXES) {
    if (!['conv1.weight', 'cls_token'].some((first) => tensors.has(prefix + first))) continue;
    return new Map([...tensors].flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t]] : [])));
  }
  throw new FormatError(
    `${file}: it must hold an encoder (conv1.weight or cls_token, perhaps behind encoder_q. or base_encoder.); ` +
      `got ${[...tensors.keys()].slice(0, 3).join(', ')}. Convert a checkpoint of a ResNet or ViT.`,
  );
}
