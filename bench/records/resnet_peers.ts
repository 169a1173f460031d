import type { Shape } from '../../src/core/shape.js';
import { resnet } from '../../src/nn/resnet.js';
import type { Loose, Work } from '../record.js';
import { channelsFirst, labels, outputsLast, values } from '../values.js';

/** What the model below is written in, so that it is the same model in both peers. */
interface Ops {
  conv(x: Loose, w: Loose, stride: number): Loose;
  /** Batch norm with the batch's statistics. */
  norm(x: Loose, gamma: Loose, beta: Loose): Loose;
  relu(x: Loose): Loose;
  add(a: Loose, b: Loose): Loose;
  pool(x: Loose): Loose;
  linear(x: Loose, w: Loose, b: Loose): Loose;
}

/** ResNet-18 for CIFAR, its parameters by torchvision's names. */
function resnet18(ops: Ops, p: Record<string, Loose>, x: Loose): Loose {
  const convNorm = (y: Loose, conv: string, bn: string, stride: number) =>
    ops.norm(ops.conv(y, p[`${conv}.weight`], stride), p[`${bn}.weight`], p[`${bn}.bias`]);
  let y = ops.relu(convNorm(x, 'conv1', 'bn1', 1));
  for (const stage of [1, 2, 3, 4])
    for (const block of [0, 1]) {
      const at = `layer${stage}.${block}`;
      const stride = stage > 1 && block === 0 ? 2 : 1;
      const z = convNorm(ops.relu(convNorm(y, `${at}.conv1`, `${at}.bn1`, stride)), `${at}.conv2`, `${at}.bn2`, 1);
      const shortcut = stride === 1 ? y : convNorm(y, `${at}.downsample.0`, `${at}.downsample.1`, stride);
      y = ops.relu(ops.add(z, shortcut));
    }
  return ops.linear(ops.pool(y), p['fc.weight'], p['fc.bias']);
}

/** Names, shapes and initial values of the parameters, dawngrad's own. */
async function initial(classes: number): Promise<[string, Shape, Float32Array][]> {
  const named = [...resnet('resnet18', { stem: 'cifar', dim: classes }).parameters()];
  return Promise.all(
    named.map(async ([name, t]) => [name, t.shape, (await t.data()) as Float32Array] as [string, Shape, Float32Array]),
  );
}

const [lr, momentum, weightDecay] = [0.01, 0.9, 1e-4];

export async function tfjsStep(tf: Loose, shape: number[], classes: number): Promise<Work<Loose>> {
  const ops: Ops = {
    conv: (x, w, stride) => tf.conv2d(x, w, stride, w.shape[0] >> 1),
    norm: (x, gamma, beta) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.batchNorm(x, mean, variance, beta, gamma, 1e-5);
    },
    relu: tf.relu,
    add: tf.add,
    pool: (x) => tf.mean(x, [1, 2]),
    linear: (x, w, b) => tf.add(tf.matMul(x, w, false, true), b),
  };
  const p: Record<string, Loose> = {};
  const velocity: Record<string, Loose> = {};
  for (const [name, s, v] of await initial(classes)) {
    const [O, R, S, C] = s;
    p[name] = tf.variable(s.length === 4 ? tf.tensor(outputsLast(v, s), [R, S, C, O]) : tf.tensor(v, s), true, name);
    velocity[name] = tf.variable(tf.zerosLike(p[name]), false);
  }
  const [x, l] = [tf.tensor(values(shape), shape), tf.tensor1d(Int32Array.from(labels(shape[0], classes)), 'int32')];
  const y = tf.cast(tf.oneHot(l, classes), 'float32');
  return () => {
    const { value, grads } = tf.variableGrads(() => tf.losses.softmaxCrossEntropy(y, resnet18(ops, p, x)));
    for (const [name, g] of Object.entries(grads)) {
      velocity[name].assign(tf.add(tf.mul(velocity[name], momentum), tf.add(g, tf.mul(p[name], weightDecay))));
      p[name].assign(tf.sub(p[name], tf.mul(velocity[name], lr)));
    }
    return [value];
  };
}

/** Every use takes a reference; what is traced is compiled whole, update included. */
export async function jaxStep(
  { jit, valueAndGrad, lax, nn, numpy: np }: Loose,
  shape: number[],
  classes: number,
): Promise<Work<Loose>> {
  const channel = (v: Loose) => v.ref.reshape([1, v.shape[0], 1, 1]);
  const ops: Ops = {
    conv: (x, w, stride) => {
      const pad = w.shape[2] >> 1;
      return lax.convGeneralDilated(
        x.ref,
        w.ref,
        [stride, stride],
        [
          [pad, pad],
          [pad, pad],
        ],
      );
    },
    norm: (x, gamma, beta) => {
      const centred = x.ref.sub(np.mean(x.ref, [0, 2, 3], { keepdims: true }));
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
      return centred
        .div(np.sqrt(variance.add(1e-5)))
        .mul(channel(gamma))
        .add(channel(beta));
    },
    relu: (x) => nn.relu(x.ref),
    add: (a, b) => a.ref.add(b.ref),
    pool: (x) => np.mean(x.ref, [2, 3]),
    linear: (x, w, b) => np.matmul(x.ref, np.transpose(w.ref)).add(b.ref),
  };
  let p: Record<string, Loose> = {};
  let velocity: Record<string, Loose> = {};
  for (const [name, s, v] of await initial(classes)) {
    const [O, R, S, C] = s;
    p[name] = s.length === 4 ? np.array(channelsFirst(v, s)).reshape([O, C, R, S]) : np.array(v).reshape([...s]);
    velocity[name] = np.zeros(p[name].shape);
  }
  const [N, H, W, C] = shape;
  const x = np.array(channelsFirst(values(shape), shape)).reshape([N, C, H, W]);
  const y = nn.oneHot(np.array(Int32Array.from(labels(N, classes)), { dtype: np.int32 }), classes);
  const loss = (q: Loose, a: Loose, b: Loose) => np.sum(nn.logSoftmax(resnet18(ops, q, a), 1).mul(b.ref)).mul(-1 / N);
  const step = jit((q: Loose, v: Loose, a: Loose, b: Loose) => {
    const [value, grads] = valueAndGrad(loss)(q, a, b);
    const next: Record<string, Record<string, Loose>> = { q: {}, v: {} };
    for (const name of Object.keys(q)) {
      next.v[name] = v[name].ref.mul(momentum).add(grads[name].add(q[name].ref.mul(weightDecay)));
      next.q[name] = q[name].ref.sub(next.v[name].ref.mul(lr));
    }
    return [value, next.q, next.v];
  });
  return () => {
    const [value, q, v] = step(p, velocity, x.ref, y.ref);
    [p, velocity] = [q, v];
    return [value];
  };
}
