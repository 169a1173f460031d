/** A network that learns to tell pictures apart: stripes, checks, dots and rings. */
import {
  AdamW,
  argmax,
  backward,
  Conv2d,
  compile,
  crossEntropy,
  device,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  syntheticPictures,
  type Tensor,
  tensor,
} from 'dawngrad';

await device();
const pictures = (count: number, seed: number) => {
  const { data, labels } = syntheticPictures({ count, size: 16, seed });
  return {
    x: tensor(
      Float32Array.from(data, (v) => v / 128 - 1),
      [count, 16, 16, 3],
    ),
    labels: tensor(labels!),
  };
};
const first = [new Conv2d(3, 16, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2)];
const second = [new Conv2d(16, 32, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2)];
const model = new Sequential(...first, ...second, new Flatten(), new Linear(512, 4));
const optimizer = new AdamW(model, { lr: 0.003 });
const train = compile((x: Tensor, labels: Tensor) => {
  const loss = crossEntropy(model.call(x), labels);
  backward(loss);
  optimizer.step();
  return loss;
});
for (let i = 1; i <= 300; i++) {
  const { x, labels } = pictures(32, i);
  const loss = train(x, labels);
  if (i % 100 === 0) console.log(`step ${i}: loss ${(await loss.item()).toFixed(3)}`);
}
const { x, labels } = pictures(400, 0);
const [guesses, truth] = [await argmax(model.call(x), 1).data(), await labels.data()];
console.log(`${guesses.filter((g, i) => g === truth[i]).length / 4} % of 400 new pictures are named rightly`);
