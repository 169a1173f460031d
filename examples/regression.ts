/** Fits a curve: a network of two layers learns sin(x) from noisy points. */
import { AdamW, backward, compile, device, FlatParameters, Linear, mean, mul, Relu, Rng, Sequential, sub, tensor } from 'dawngrad';

await device();
const rng = new Rng(1, 'regression');
const model = new Sequential(new Linear(rng, 1, 32), new Relu(), new Linear(rng, 32, 1));
const optimizer = new AdamW(new FlatParameters(model), { weightDecay: 0 });

const xs = Float32Array.from({ length: 64 }, () => rng.uniform(-3, 3));
const ys = xs.map((x) => Math.sin(x) + 0.05 * rng.normal());
const [x, y] = [tensor(xs, [64, 1]), tensor(ys, [64, 1])];

const train = compile((lr) => {
  const error = sub(model.call(x), y);
  const loss = mean(mul(error, error));
  backward(loss);
  optimizer.step(lr);
  return loss;
});

for (let i = 1; i <= 300; i++) {
  const loss = train(Float32Array.of(0.02));
  if (i % 100 === 0) console.log(`step ${i}: mean squared error ${(await loss.item()).toFixed(4)}`);
}
