import { shown } from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { recording } from '../tensor/replay.js';
import { checkDType, Tensor, tensor } from '../tensor/tensor.js';
import { listed } from '../tensor/values.js';

/**
 * Labels, rows or columns: a tensor u32, or numbers, which are checked and become one. A tensor's values are on the
 * device, where no check can wait for them: kernels give NaN for a place that does not exist, so that the loss stops
 * the run.
 */
export type Places = Tensor<'u32'> | readonly number[] | Uint32Array;

/**
 * Places below `limit` as a tensor. @throws ConfigError for a number that is none, or any inside a recording, where it
 * would be a constant.
 */
export function placesIn(where: string, what: string, places: Places, limit: number): Tensor<'u32'> {
  if (places instanceof Tensor || !(Array.isArray(places) || places instanceof Uint32Array)) {
    checkDType(where, places as Tensor, 'u32');
    return places as Tensor<'u32'>;
  }
  if (recording())
    throw new ConfigError(
      `${where}: ${what} must be a tensor inside a compiled function; got numbers. Pass them as an argument.`,
    );
  const list = listed(where, places as readonly number[]);
  for (let i = 0; i < list.length; i++)
    if (!(Number.isInteger(list[i]) && list[i] >= 0 && list[i] < limit))
      throw new ConfigError(
        `${where}: ${what} must lie in [0, ${limit - 1}]; got ${shown(list[i])} at place ${i}. Correct it.`,
      );
  return tensor(Uint32Array.from(list));
}
