import { FormatError } from '../core/errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import { type Architecture, resnetArchitecture } from './architecture.js';
import { encoderWeights, isBuffer, type Weights } from './layout.js';
import { storeCount, turn } from './module-state.js';
import { randomRows } from './random_keys.js';

/** A checkpoint that a run of MoCo v1 or v2 can go on from. */
export interface Resumable extends Weights {
  architecture: Architecture;
  K: number;
}

/**
 * Makes a checkpoint whole: what it lacks (the key encoder, the queue, the optimizer's velocity, counts of batches)
 * gets the value it has at the start of a run, and the schedule starts anew.
 *
 * @param K keys of the queue where the file has none.
 * @throws FormatError if there is no encoder with a head.
 */
export function resumable({ tensors, metadata }: Weights, file: string, K: number): Resumable {
  const encoder = encoderWeights(tensors, file);
  const architecture = resnetArchitecture(encoder, file, metadata.stem);
  const { dim, head, stem, model } = architecture;
  if (dim === undefined || model === undefined)
    throw new FormatError(`${file}: a run goes on from a ResNet that has a name and a head, fc; got ${model ? 'no head' : 'another ResNet'}. Use it as an encoder: dawngrad embed or export.`);
  for (const name of [...encoder.keys()]) if (name.endsWith('running_mean')) fillIn(encoder, name.replace('running_mean', 'num_batches_tracked'), storeCount([], 0));
  const whole = new Map<string, StoredTensor>();
  for (const [name, t] of encoder) {
    whole.set(`encoder_q.${name}`, t);
    whole.set(`encoder_k.${name}`, tensors.get(`encoder_k.${name}`) ?? t);
    const velocity = `optimizer.velocity.${name}`;
    if (!isBuffer(name)) whole.set(velocity, tensors.get(velocity) ?? { ...t, data: new Float32Array(t.data.length) });
  }
  const queue = tensors.get('queue') ?? randomQueue(dim, K);
  whole.set('queue', queue);
  whole.set('queue_ptr', tensors.get('queue_ptr') ?? storeCount([1], 0));
  return { tensors: whole, metadata: { ...metadata, format: 'dawngrad-moco', step: '0', model, stem, head, dim: String(dim) }, architecture, K: queue.shape[1] };
}

const fillIn = (to: Map<string, StoredTensor>, name: string, value: StoredTensor) => void (to.has(name) || to.set(name, value));

/** [dim, K], each key of length 1. */
const randomQueue = (dim: number, K: number): StoredTensor => ({ dtype: 'F32', shape: [dim, K], data: turn(randomRows(K, dim, 0), 1, K, dim) });
