/** A data set of one's own: 8-bit RGB pictures of one size. Here discs and bars, told apart after short training. */
import { demoConfig, device, type Pictures, Pretraining, Rng, splitHeldOut } from 'dawngrad';

const [count, size] = [240, 16];
const rng = new Rng(1, 'own-pictures');
const data = new Uint8Array(count * size * size * 3).fill(40);
const labels = new Uint32Array(count);
const names: string[] = [];
for (let i = 0; i < count; i++) {
  labels[i] = i % 2;
  names.push(`picture ${i}`);
  const [row, column, colour] = [rng.uniform(4, 12), rng.uniform(4, 12), [0, 1, 2].map(() => rng.uniform(120, 255))];
  for (let p = 0; p < size * size; p++) {
    const [dy, dx] = [Math.floor(p / size) - row, (p % size) - column];
    const inside = labels[i] === 0 ? dy * dy + dx * dx < 16 : Math.abs(dy) < 2;
    if (inside) data.set(colour, (i * size * size + p) * 3);
  }
}
const about = { count, height: size, width: size, labels, classes: ['disc', 'bar'], names, skipped: [] };
const pictures: Pictures = { data, ...about };

await device();
const config = { ...demoConfig, size, epochs: 3, batch: 32, K: 128, knn: 10 };
const training = new Pretraining(config, splitHeldOut(pictures, 0.2, 1));
await training.run();
console.log(`k-NN finds the class of ${(100 * (await training.knn())!).toFixed(0)} % of the held-out pictures`);
