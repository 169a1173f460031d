/**
 * A loss of one's own, with its gradient left to the tape: NT-Xent of SimCLR (Chen et al., arXiv:2002.05709), for N
 * pairs.
 */
import {
  backward,
  concat,
  crossEntropy,
  device,
  l2Normalize,
  matmul,
  mul,
  parameter,
  Rng,
  sub,
  type Tensor,
  tensor,
} from 'dawngrad';

/**
 * a, b: [N, D], two views of each picture. Each of the 2N rows is to find its other view among the 2N - 1 other rows.
 */
function ntXent(a: Tensor, b: Tensor, T = 0.5): Tensor {
  const N = a.shape[0];
  const z = l2Normalize(concat([a, b]));
  const self = tensor(
    Float32Array.from({ length: 4 * N * N }, (_, i) => (i % (2 * N + 1) === 0 ? 1e9 : 0)),
    [2 * N, 2 * N],
  );
  const logits = sub(mul(matmul(z, z, { transposeB: true }), 1 / T), self);
  return crossEntropy(logits, tensor(Uint32Array.from({ length: 2 * N }, (_, i) => (i + N) % (2 * N))));
}

await device();
const rng = new Rng(1, 'own-loss');
const draw = () =>
  parameter(
    tensor(
      Float32Array.from({ length: 8 * 4 }, () => rng.normal()),
      [8, 4],
    ),
  );
const [a, b] = [draw(), draw()];
console.log(`before: ${(await ntXent(a, b).item()).toFixed(4)}, chance is ln 15 = ${Math.log(15).toFixed(4)}`);
for (let i = 0; i < 50; i++) {
  for (const x of [a, b]) x.grad = undefined;
  backward(ntXent(a, b));
  for (const x of [a, b]) x.set(await sub(x, x.grad!).data());
}
console.log(`after 50 steps: ${(await ntXent(a, b).item()).toFixed(4)}`);
