/** A network that learns to tell pictures apart: stripes, checks, dots and rings. */
import * as dg from 'dawngrad';

await dg.device();
const { data, labels } = dg.syntheticPictures({ count: 2000, size: 16, seed: 1 });
const values = Float32Array.from(data, (v) => v / 128 - 1);
const [x, y] = [dg.tensor(values, [2000, 16, 16, 3]), dg.tensor(labels!)];
const conv = (from: number, to: number) => new dg.Conv2d(from, to, 3, { padding: 1 });
const block = (from: number, to: number) => [conv(from, to), new dg.ReLU(), new dg.MaxPool2d(2)];
const model = new dg.Sequential(...block(3, 16), ...block(16, 32), new dg.Flatten(), new dg.Linear(512, 4));
const optimizer = new dg.AdamW(model, { lr: 0.003 });
const train = dg.compile((rows: dg.Tensor) => {
  const loss = dg.crossEntropy(model.call(x.gather(rows)), y.gather(rows));
  loss.backward();
  optimizer.step();
});
for (let i = 0; i < 6400; i += 32) train(dg.tensor(Uint32Array.from({ length: 32 }, (_, k) => (i + k) % 1600)));
const guesses = await model.call(x.at('1600:')).argmax(1).data();
console.log(`${guesses.filter((g, i) => g === labels![1600 + i]).length / 4} % of 400 new pictures are named rightly`);
