/** Fits a curve: a network of two layers learns sin(x) from noisy points. */
import { AdamW, compile, cosine, device, Linear, mse, ReLU, Rng, Sequential, tensor } from 'dawngrad';

await device();
const model = new Sequential(new Linear(1, 32), new ReLU(), new Linear(32, 1));
const optimizer = new AdamW(model, { lr: (step) => cosine(0.03, step / 300) });

const rng = new Rng(1, 'regression');
const points = Array.from({ length: 64 }, () => rng.uniform(-3, 3));
const x = tensor(points.map((v) => [v]));
const y = tensor(points.map((v) => [Math.sin(v) + 0.05 * rng.normal()]));

const train = compile(() => {
  const loss = mse(model.call(x), y);
  loss.backward();
  optimizer.step();
  return loss;
});

for (let i = 1; i <= 300; i++) {
  const loss = train();
  if (i % 100 === 0) console.log(`step ${i}: mean squared error ${(await loss.item()).toFixed(4)}`);
}
