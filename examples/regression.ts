/** Fits a curve: a network of two layers learns sin(x) from noisy points. */
import { AdamW, backward, compile, device, Linear, mean, mul, Relu, Rng, Sequential, sub, tensor, zeroGrad } from 'dawngrad';

await device();
const rng = new Rng(1, 'regression');
const model = new Sequential(new Linear(rng, 1, 32), new Relu(), new Linear(rng, 32, 1));
const optimizer = new AdamW(model.parameters(), { weightDecay: 0 });

const xs = Float32Array.from({ length: 64 }, () => rng.uniform(-3, 3));
const ys = xs.map((x) => Math.sin(x) + 0.05 * rng.normal());

const train = compile((x, y) => {
  zeroGrad(optimizer.parameters.named.values());
  const error = sub(model.forward(x), y);
  const loss = mean(mul(error, error));
  backward(loss);
  optimizer.step();
  return loss;
});

const [x, y] = [tensor(xs, [64, 1]), tensor(ys, [64, 1])];
for (let i = 0; i < 300; i++) {
  const loss = train(x, y);
  if (i % 100 === 99) console.log(`step ${i + 1}: mean squared error ${(await loss.item()).toFixed(3)}`);
}
