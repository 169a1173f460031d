import { check, instance, text } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import { Module } from '../nn/module.js';
import { moduleTensors } from './module-state.js';

/**
 * The sanity check of MoCo's linear evaluation: every tensor of the model, running statistics and counts of batches
 * too, equals the stored one to the bit.
 * @throws ConfigError with the name of one that does not.
 */
export async function checkUnchanged(
  model: Module,
  stored: ReadonlyMap<string, StoredTensor>,
  where: string,
): Promise<void> {
  check('checkUnchanged', 'the model', model, instance(Module, 'Module'));
  check('checkUnchanged', 'what was stored', stored, instance(Map));
  check('checkUnchanged', 'where', where, text);
  for (const [name, now] of await moduleTensors(model)) {
    // files of before PyTorch 0.4.1 have no counts
    const was = stored.get(name) ?? (now.dtype === 'I64' ? { data: BigInt64Array.of(0n) } : undefined);
    if (!was || !sameBits(was.data, now.data))
      throw new ConfigError(
        `${where}: nothing must change but the classifier; ` +
          `got another ${name} than the checkpoint's. Keep the encoder in evaluation mode and out of every optimizer.`,
      );
  }
}

function sameBits(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [x, y] = [a, b].map((v) => new Uint32Array(v.buffer, v.byteOffset, v.byteLength / 4));
  return x.length === y.length && x.every((v, i) => v === y[i]);
}
