/** Fits a curve: a network of two layers learns sin(x) from noisy points. */
import { AdamW, backward, compile, cosine, device, Linear, mse, ReLU, Rng, Sequential, tensor } from 'dawngrad';

await device();
const model = new Sequential(new Linear(1, 32), new ReLU(), new Linear(32, 1));
const optimizer = new AdamW(model, { lr: (step) => cosine(0.03, step / 300) });

const rng = new Rng(1, 'regression');
const xs = Float32Array.from({ length: 64 }, () => rng.uniform(-3, 3));
const ys = xs.map((x) => Math.sin(x) + 0.05 * rng.normal());
const [x, y] = [tensor(xs, [64, 1]), tensor(ys, [64, 1])];

const train = compile(() => {
  const loss = mse(model.call(x), y);
  backward(loss);
  optimizer.step();
  return loss;
});

for (let i = 1; i <= 300; i++) {
  const loss = train();
  if (i % 100 === 0) console.log(`step ${i}: mean squared error ${(await loss.item()).toFixed(4)}`);
}
