/** Fits a curve: a network of two layers learns sin(x) from noisy points. */
import { AdamW, compile, device, FlatParameters, Linear, Relu, Rng, Sequential, tensor } from 'dawngrad';

await device();
const rng = new Rng(1, 'regression');
const model = new Sequential(new Linear(rng, 1, 32), new Relu(), new Linear(rng, 32, 1));
const optimizer = new AdamW(new FlatParameters(model), { weightDecay: 0 });

const points = Array.from({ length: 64 }, () => rng.uniform(-3, 3));
const x = tensor(points.map((v) => [v]));
const y = tensor(points.map((v) => [Math.sin(v) + 0.05 * rng.normal()]));

const train = compile((lr) => {
  const error = model.call(x).sub(y);
  const loss = error.mul(error).mean();
  loss.backward();
  optimizer.step(lr);
  return loss;
});

for (let i = 1; i <= 300; i++) {
  const loss = train(Float32Array.of(0.02));
  if (i % 100 === 0) console.log(`step ${i}: mean squared error ${(await loss.item()).toFixed(4)}`);
}
