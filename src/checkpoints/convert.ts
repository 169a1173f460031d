import { onShapes } from '../backend/shapes.js';
import { FormatError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import type { StoredTensor } from '../io/safetensors.js';
import type { PretrainConfig } from '../moco/config.js';
import { createMethod } from '../moco/create.js';
import { randomRows } from '../moco/method.js';
import { type Family, headIn, headWidths } from '../nn/family.js';
import { LossScale } from '../optim/loss-scale.js';
import { type Slot, slots } from './checkpoint.js';
import { type EncoderFile, encoderOf, type Said } from './encoder.js';
import type { Weights } from './layout.js';
import { storeCount, turn } from './module-state.js';
import { plainNames } from './tensor-names.js';

/** What a checkpoint says of the run that goes on from it, and of itself. */
export interface Continued {
  config: Partial<PretrainConfig>;
  encoder: EncoderFile;
}

/**
 * What the tensors of a checkpoint say of the run that goes on from it: MoCo v3 if it has a predictor, and the model.
 *
 * @param also what files leave open: the heads of a vision transformer, the stem of a ResNet, which of several
 * encoders.
 * @throws FormatError if there is no encoder with a name and a head, or one with other heads than the name stands for.
 */
export function configIn(
  weights: Weights,
  file: string,
  also: Pick<Said, 'heads' | 'stem' | 'prefix'> = {},
): Continued {
  const encoder = encoderOf(weights, file, also);
  const { tensors, family, architecture } = encoder;
  const { head, dim: last } = headIn(tensors, family.head);
  const widths = headWidths(tensors, family.head);
  const v3 = family.recipe.method === 'moco-v3' || weights.tensors.has('predictor.0.weight');
  const dim = v3 ? widths.at(-1) : last;
  const name = architecture.model;
  if (head === 'none' || dim === undefined || name === undefined)
    throw new FormatError(
      `${file}: a run must go on from a model that has a name and a head; ` +
        `got ${name ? 'no head' : 'another model'}. Use it as an encoder: dawngrad embed or export.`,
    );
  const { stem, size, heads } = family.describe(architecture);
  checkHeads(file, name, heads, family.heads?.(name));
  if (v3)
    return {
      encoder,
      config: { method: 'moco-v3', model: name, dim, hidden: widths[0], ...(size ? { size } : { stem }) },
    };
  const { shape: queue = [] } = plainNames(weights.tensors, file).get('queue') ?? {};
  return { encoder, config: { model: name, stem, head, dim, ...(queue.length === 2 && { K: queue[1] }) } };
}

/** A run has the attention heads that its model's name stands for. */
function checkHeads(file: string, name: string, got: number | undefined, of: number | undefined): void {
  if (got === of) return;
  throw new FormatError(
    `${file}: a run of ${name} must have ${of} attention heads; got ${got}. ` +
      `Use it as an encoder; if it was trained with ${of}, say --heads ${of}.`,
  );
}

/**
 * Makes a checkpoint whole, for the method of `config`: what it lacks of the key encoder, the queue, the optimizer's
 * state and the counts of batches gets the value it has at the start of a run, and the schedule starts anew.
 *
 * @param encoder the checkpoint's, as `configIn` finds it.
 * @throws FormatError if it lacks anything else, holds more of a head than the run has, or is of another model.
 */
export function resumable(weights: Weights, file: string, config: PretrainConfig, encoder: EncoderFile): Weights {
  const { method, model, stem, head, dim } = config;
  const { metadata } = weights;
  const tensors = plainNames(weights.tensors, file);
  const whole = new Map<string, StoredTensor>();
  for (const slot of onShapes(() => slots(createMethod(config, 1)))) {
    const bare = encoder.tensors.get(slot.name.replace(ENCODER, ''));
    const stored = (QUERY.test(slot.name) ? bare : undefined) ?? tensors.get(slot.name) ?? bare ?? initial(slot);
    if (!stored)
      throw new FormatError(
        `${file}: a run of ${method} with ${model} must go on from all of its tensors; ` +
          `got none named ${slot.name}. Use it as an encoder, or convert it for another --method.`,
      );
    if (!sameShape(stored.shape, slot.shape))
      throw new FormatError(
        `${file}: ${slot.name} of ${method} with ${model} must have shape ${show(slot.shape)}; ` +
          `got ${show(stored.shape)}. It is a checkpoint of another model or head.`,
      );
    whole.set(slot.name, stored);
  }
  checkHeadTensors(
    [...tensors.keys(), ...[...encoder.tensors.keys()].map((name) => `encoder.${name}`)],
    encoder.family,
    whole,
    file,
  );
  return {
    tensors: whole,
    metadata: { ...metadata, format: 'dawngrad-moco', method, model, stem, head, dim: String(dim) },
  };
}

/** What stands before an encoder's names in a run. */
const ENCODER = /^(encoder(_[qk])?|base_encoder|momentum_encoder)\./;

/** The encoder that is trained. */
const QUERY = /^(encoder|encoder_q|base_encoder)\./;

/** A head of more layers than the run's is another head. */
function checkHeadTensors(names: string[], { head }: Family, whole: ReadonlyMap<string, unknown>, file: string): void {
  const bare = (name: string) => name.replace(ENCODER, '');
  const known = new Set([...whole.keys()].map(bare));
  const more = names.filter(
    (name) =>
      [`${head}.`, 'predictor.'].some((of) => bare(name).startsWith(of)) &&
      !/num_batches_tracked$/.test(name) &&
      !known.has(bare(name)),
  );
  if (more.length > 0)
    throw new FormatError(
      `${file}: its head must be the run's; got ${more.slice(0, 4).join(', ')}, ` +
        `for which the run has no place. Use it as an encoder.`,
    );
}

/** What a run holds under a name before its first step, where that does not depend on the encoder. */
function initial({ name, shape }: Slot): StoredTensor | undefined {
  if (/(num_batches_tracked|^queue_ptr)$/.test(name)) return storeCount(shape, 0);
  if (name === 'optimizer.loss_scale')
    return { dtype: 'F32', shape: [...shape], data: Float32Array.from(LossScale.first) };
  if (name.startsWith('optimizer.'))
    return { dtype: 'F32', shape: [...shape], data: new Float32Array(shape.reduce((n, d) => n * d, 1)) };
  if (name !== 'queue') return undefined;
  const [dim, K] = shape;
  return { dtype: 'F32', shape: [dim, K], data: turn(randomRows(K, dim, 0), 1, K, dim) }; // each key of length 1
}
