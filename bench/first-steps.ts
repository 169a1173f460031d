import { device } from '../src/backend/device.js';
import { splitHeldOut } from '../src/data/pictures.js';
import { syntheticPictures } from '../src/data/synthetic.js';
import { demoConfig } from '../src/moco/config.js';
import { Pretraining } from '../src/train/pretrain.js';

/**
 * A process of its own, see `timeToFirstStep`: three steps of the demonstration. Prints when each one's loss was read.
 */
await device();
const training = new Pretraining(demoConfig, splitHeldOut(syntheticPictures({ count: 160, seed: 1 }), 0.2, 1));
const read: number[] = [];
for (let i = 0; i < 3; i++) {
  await training.trial();
  read.push(Date.now());
}
console.log(JSON.stringify(read));
process.exit(); // the device would keep the process
