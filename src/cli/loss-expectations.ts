import type { Pretraining } from '../train/pretrain.js';

/** What to expect of the loss, logged before training, since it looks wrong to everybody at first. */
export function expectations({ method, config }: Pretraining): string[] {
  const { loss, formula } = method.chance(config.batch / config.accumulate);
  const chance = `Chance level of the loss: ${loss.toFixed(3)} = ${formula}.`;
  if (config.method === 'moco') {
    const steps = Math.ceil(config.K / (config.symmetric ? 2 * config.batch : config.batch));
    return [
      `${chance} It rises before it falls: the queue starts with random keys, which are easy to tell apart, ` +
        `and holds real ones after ${steps} steps; ` +
        `then keys are at most ${steps} steps old.`,
    ];
  }
  if (config.method === 'memory-bank')
    return [
      `${chance} It rises before it falls: the bank starts with random rows, ` +
        `and holds one of each picture after an epoch.`,
    ];
  return [
    `${chance} Negatives are the other ${config.batch / config.accumulate - 1} keys of the batch; there is no queue.`,
  ];
}
