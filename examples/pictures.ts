/** A network that learns to tell pictures apart: stripes, checks, dots and rings. */
import * as dg from 'dawngrad';

await dg.device();
const pictures = (count: number, seed: number) => {
  const { data, labels } = dg.syntheticPictures({ count, size: 16, seed });
  const values = Float32Array.from(data, (v) => v / 128 - 1);
  return { x: dg.tensor(values, [count, 16, 16, 3]), labels: dg.tensor(labels!) };
};
const conv = (from: number, to: number) => new dg.Conv2d(from, to, 3, { padding: 1 });
const block = (from: number, to: number) => [conv(from, to), new dg.ReLU(), new dg.MaxPool2d(2)];
const model = new dg.Sequential(...block(3, 16), ...block(16, 32), new dg.Flatten(), new dg.Linear(512, 4));
const optimizer = new dg.AdamW(model, { lr: 0.003 });
const train = dg.compile((x: dg.Tensor, labels: dg.Tensor) => {
  const loss = dg.crossEntropy(model.call(x), labels);
  loss.backward();
  optimizer.step();
  return loss;
});
for (let i = 1; i <= 300; i++) {
  const { x, labels } = pictures(32, i);
  const loss = train(x, labels);
  if (i % 100 === 0) console.log(`step ${i}: loss ${(await loss.item()).toFixed(3)}`);
}
const { x, labels } = pictures(400, 0);
const [guesses, truth] = [await model.call(x).argmax(1).data(), await labels.data()];
console.log(`${guesses.filter((g, i) => g === truth[i]).length / 4} % of 400 new pictures are named rightly`);
