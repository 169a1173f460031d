import type { Backend } from '../backend/backend.js';
import { bytesOf, inMemory, ofManyShapes } from '../data/picture-source.js';
import type { Pretraining } from '../train/pretrain.js';
import type { Output } from './output.js';
import { sizeText } from './picture-warnings.js';

/** Trains two steps and tells what a whole run takes; the first compiles kernels, so the second is timed. */
export async function dryRun(training: Pretraining, on: Backend, out: Output): Promise<void> {
  const { config, method, totalSteps, train, heldOut } = training;
  const timed = async () => {
    const began = performance.now();
    await training.trial();
    return (performance.now() - began) / 1000;
  };
  const [first, second] = [await timed(), await timed()];
  let parameters = 0;
  for (const p of method.optimizer.parameters.named.values()) parameters += p.size;
  const pictures = bytesOf(train) + bytesOf(heldOut);
  const most = ofManyShapes(train) ? ' at most' : '';
  const text = [
    `Dry run of ${config.method} with ${config.model} in ${config.precision}: it works.`,
    `  trained parameters  ${parameters.toLocaleString('en-US')}`,
    `  pictures            ${train.count + heldOut.count} of ${sizeText(train)} for views of ` +
      `${config.size}×${config.size}, ` +
      `${mebibytes(pictures)}${inMemory(train) ? '' : `${most} if all were decoded at once`}`,
    `  device memory       ${mebibytes(on.memory().peak)} at most, pictures and state included`,
    `  first step          ${first.toFixed(2)} s`,
    `  each step           ${second.toFixed(3)} s, ${(config.batch / second).toFixed(0)} pictures/s`,
    `  whole run           ${totalSteps} steps, ${duration(totalSteps * second)} without k-NN`,
  ];
  const found = { method: config.method, model: config.model, parameters, pictures, memory: on.memory().peak };
  out.result(text.join('\n'), { ...found, firstStep: first, step: second, totalSteps, seconds: totalSteps * second });
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const duration = (s: number): string =>
  s < 90
    ? `${Math.ceil(s)} s`
    : s < 5400
      ? `${Math.ceil(s / 60)} min`
      : s < 172800
        ? `${(s / 3600).toFixed(1)} h`
        : `${(s / 86400).toFixed(1)} days`;
