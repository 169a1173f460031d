import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm } from './batch-norm.js';
import type { Module } from './module.js';

/** Running means and variances of every batch norm in a model: what a forward pass in training changes. */
export function* runningStatistics(model: Module): Generator<Tensor> {
  if (model instanceof BatchNorm) yield* [model.runningMean, model.runningVar];
  for (const [, child] of model.children()) yield* runningStatistics(child);
}
