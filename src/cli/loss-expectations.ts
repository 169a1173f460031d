import type { Pretraining } from '../train/pretrain.js';

type Config = Pretraining['config'];

const inBatch = ({ batch, accumulate }: Config): string =>
  `Negatives are the other ${batch / accumulate - 1} keys of the batch; there is no queue.`;

/** What the loss does at first, by method: one without a row does not compile. */
const course: Record<Config['method'], (config: Config) => string> = {
  moco: ({ K, symmetric, batch }) => {
    const steps = Math.ceil(K / (symmetric ? 2 * batch : batch));
    return (
      'It rises before it falls: the queue starts with random keys, which are easy to tell apart, ' +
      `and holds real ones after ${steps} steps; then keys are at most ${steps} steps old.`
    );
  },
  'memory-bank': () =>
    'It rises before it falls: the bank starts with random rows, and holds one of each picture after an epoch.',
  'moco-v3': inBatch,
  'end-to-end': inBatch,
};

/** What to expect of the loss, logged before training, since it looks wrong to everybody at first. */
export function expectations({ method, config }: Pretraining): string[] {
  const { loss, formula } = method.chance(config.batch / config.accumulate);
  return [`Chance level of the loss: ${loss.toFixed(3)} = ${formula}. ${course[config.method](config)}`];
}
