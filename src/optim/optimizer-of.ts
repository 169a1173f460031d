import type { Precision } from '../ops/precision.js';
import { AdamW } from './adamw.js';
import type { FlatParameters } from './flat.js';
import { LARS } from './lars.js';
import { LossScale } from './loss-scale.js';
import type { Optimizer } from './optimizer.js';
import { SGD } from './sgd.js';

/** Settings that an optimizer is chosen by. */
export interface OptimizerSettings {
  optimizer: 'sgd' | 'lars' | 'adamw';
  momentum: number;
  weightDecay: number;
  precision?: Precision;
}

/**
 * The optimizer that settings ask for, with a loss scale for `f16`: on every adapter, so that a run may go on on
 * another.
 */
export function optimizerOf(settings: OptimizerSettings, parameters: FlatParameters): Optimizer {
  const { optimizer, momentum, weightDecay, precision } = settings;
  if (precision === 'f16') parameters.lossScale = new LossScale();
  if (optimizer === 'adamw') return new AdamW(parameters, { weightDecay });
  return new (optimizer === 'lars' ? LARS : SGD)(parameters, { momentum, weightDecay });
}
