import { onShapes } from '../backend/shapes.js';
import { FormatError } from '../core/errors.js';
import { sameShape, show } from '../core/shape.js';
import type { StoredTensor } from '../io/safetensors.js';
import { LossScale } from '../optim/loss_scale.js';
import { headWidths } from './architecture.js';
import { type Slot, slots } from './checkpoint.js';
import type { PretrainConfig } from './config.js';
import { createMethod } from './create.js';
import { encoderOf, isVit } from './encoder.js';
import { encoderWeights, type Weights } from './layout.js';
import { storeCount, turn } from './module-state.js';
import { randomRows } from './random_keys.js';

/**
 * What the tensors of a checkpoint say of the run that goes on from it: MoCo v3 if it has a predictor, and the model.
 *
 * @param model the name of a vision transformer, of which the tensors do not tell the heads.
 * @throws FormatError if there is no encoder with a name and a head.
 */
export function configIn(weights: Weights, file: string, model?: string): Partial<PretrainConfig> {
  const { tensors, architecture, normalisation: { size } } = encoderOf(weights, file, model === undefined ? {} : { model });
  const vit = isVit(architecture);
  const v3 = vit || weights.tensors.has('predictor.0.weight');
  const widths = headWidths(tensors, vit ? 'head' : 'fc');
  const dim = v3 || !('dim' in architecture) ? widths.at(-1) : architecture.dim;
  const name = architecture.model;
  if (dim === undefined || name === undefined)
    throw new FormatError(
      `${file}: a run goes on from a model that has a name and a head; ` +
        `got ${name ? 'no head' : 'another model'}. Use it as an encoder: dawngrad embed or export.`,
    );
  if (v3) return { method: 'moco-v3', model: name, dim, hidden: widths[0], ...(vit ? { size } : { stem: architecture.stem }) };
  const { stem, head } = architecture as { stem: PretrainConfig['stem']; head: PretrainConfig['head'] };
  const K = weights.tensors.get('queue')?.shape[1];
  return { model: name, stem, head, dim, ...(K !== undefined && { K }) };
}

/**
 * Makes a checkpoint whole, for the method of `config`: what it lacks of the key encoder, the queue, the optimizer's state
 * and the counts of batches gets the value it has at the start of a run, and the schedule starts anew.
 *
 * @throws FormatError if it lacks anything else, or is of another model.
 */
export function resumable({ tensors, metadata: { pictures: _, ...metadata } }: Weights, file: string, config: PretrainConfig): Weights {
  const { method, model, stem, head, dim } = config;
  const encoder = encoderWeights(tensors, file);
  const whole = new Map<string, StoredTensor>();
  for (const slot of slotsFor(config)) {
    const stored = tensors.get(slot.name) ?? encoder.get(slot.name.replace(/^(encoder(_[qk])?|base_encoder|momentum_encoder)\./, '')) ?? initial(slot);
    if (!stored)
      throw new FormatError(
        `${file}: a run of ${method} with ${model} goes on from all of its tensors; ` +
          `got none named ${slot.name}. Use it as an encoder, or convert it for another --method.`,
      );
    if (!sameShape(stored.shape, slot.shape))
      throw new FormatError(
        `${file}: ${slot.name} of ${method} with ${model} has shape ${show(slot.shape)}; ` +
          `got ${show(stored.shape)}. Name its model and size by --model and --size.`,
      );
    whole.set(slot.name, stored);
  }
  return { tensors: whole, metadata: { ...metadata, format: 'dawngrad-moco', step: '0', method, model, stem, head, dim: String(dim) } };
}

/** Names and shapes of everything that a run holds. Their values are not made. */
const slotsFor = (config: PretrainConfig): Slot[] => onShapes(() => slots(createMethod(config, 1)));

/** What a run holds under a name before its first step, where that does not depend on the encoder. */
function initial({ name, shape }: Slot): StoredTensor | undefined {
  if (/(num_batches_tracked|^queue_ptr)$/.test(name)) return storeCount(shape, 0);
  if (name === 'optimizer.loss_scale') return { dtype: 'F32', shape: [...shape], data: Float32Array.from(LossScale.first) };
  if (name.startsWith('optimizer.')) return { dtype: 'F32', shape: [...shape], data: new Float32Array(shape.reduce((n, d) => n * d, 1)) };
  if (name !== 'queue') return undefined;
  const [dim, K] = shape;
  return { dtype: 'F32', shape: [dim, K], data: turn(randomRows(K, dim, 0), 1, K, dim) }; // each key of length 1
}
