import type { Module } from './module.js';

/** Runs `work` with the model in evaluation mode, which it is put back from whatever comes of it. */
export async function evaluating<T>(model: Module, work: () => Promise<T>): Promise<T> {
  const training = model.training;
  model.eval();
  try {
    return await work();
  } finally {
    model.train(training);
  }
}
