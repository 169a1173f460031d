/** A loss of one's own, with its gradient left to the tape: NT-Xent of SimCLR (Chen et al., arXiv:2002.05709). */
import { concat, crossEntropy, device, parameter, Rng, SGD, type Tensor, tensor } from 'dawngrad';

/** a, b: [N, D], two views of each picture. Each of the 2N rows is to find its other view among the 2N - 1 others. */
function ntXent(a: Tensor, b: Tensor, T = 0.5): Tensor {
  const N = a.shape[0];
  const rows = Array.from({ length: 2 * N }, (_, i) => i);
  const itself = tensor(rows.map((i) => rows.map((j) => (i === j ? 1e9 : 0))));
  const z = concat([a, b]).l2Normalize();
  const logits = z.matmul(z, { transposeB: true }).div(T).sub(itself);
  return crossEntropy(logits, tensor(Uint32Array.from(rows, (i) => (i + N) % (2 * N))));
}

await device();
const rng = new Rng(1, 'own-loss');
const random = () => parameter(tensor(Array.from({ length: 8 }, () => Array.from({ length: 4 }, () => rng.normal()))));
const [a, b] = [random(), random()];
const optimizer = new SGD([a, b], { lr: 1 });
console.log(`before: ${(await ntXent(a, b).item()).toFixed(4)}, chance is ln 15 = ${Math.log(15).toFixed(4)}`);
for (let i = 0; i < 50; i++) {
  ntXent(a, b).backward();
  optimizer.step();
}
console.log(`after 50 steps: ${(await ntXent(a, b).item()).toFixed(4)}`);
