import type { Rate } from '../ops/update.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FlatParameters } from './flat.js';

/** What training needs of SGD, LARS and AdamW. */
export interface Optimizer {
  readonly parameters: FlatParameters;
  /**
   * One update with the learning rate `lr`, f32 [1], or outside of compiled functions a number; gradients are spent by it. A recorded
   * step may replay it.
   */
  step(lr: Rate): void;
  /** What a checkpoint must hold, by name. A tensor as long as the parameters is laid out as they are. */
  state(): Map<string, Tensor>;
}
