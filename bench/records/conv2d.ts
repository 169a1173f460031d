import { cast } from '../../src/ops/cast.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { parameter, state, type Tensor, tensor } from '../../src/tensor/tensor.js';
import { gradientsOf } from '../gradients.js';
import type { Bench, Case, Loose } from '../record.js';
import { channelsFirst, outputsLast, values } from '../values.js';
import { cifarResNet18, imageNetResNet50, type Sizes } from './conv_shapes.js';

type Part = 'forward' | 'dX' | 'dW';

export function convolution(part: Part, s: Sizes): Case {
  const { N, H, C, O, R, stride, half = false } = s;
  const pad = (R - 1) >> 1;
  const P = Math.floor((H + 2 * pad - R) / stride) + 1;
  const [x, w, dy] = [
    [N, H, H, C],
    [O, R, R, C],
    [N, P, P, O],
  ];
  return {
    label: `${N}×${H}², ${C}→${O}, ${R}×${R}${stride > 1 ? `/${stride}` : ''} (${s.what})${half ? ', f16' : ''}`,
    flops: 2 * N * P * P * O * R * R * C,
    tolerance: half ? 4e-3 : 5e-4,
    checked: part === 'forward' && C === 3 && R === 3,
    ours: () => {
      const stored = (t: Tensor) => (half ? cast(t, 'f16') : t);
      const [X, W, dY] = [
        parameter(stored(tensor(values(x, 1), x))),
        parameter(stored(tensor(values(w, 2), w))),
        state(stored(tensor(values(dy, 3), dy))),
      ];
      const options = { stride, padding: pad, precision: half ? 'f16' : 'f32' } as const;
      if (part === 'forward') return () => [conv2d(X.detach(), W.detach(), options)];
      const kept: Tensor = state(conv2d(X, W, options));
      return () => gradientsOf(kept, dY, part === 'dX' ? 0 : 1);
    },
    tfjs: (tf) => {
      const [X, W, dY] = [
        tf.tensor(values(x, 1), x),
        tf.tensor(outputsLast(values(w, 2), w), [R, R, C, O]),
        tf.tensor(values(dy, 3), dy),
      ];
      const how = { strides: [stride, stride], pad, dataFormat: 'NHWC' };
      if (part === 'forward') return () => [tf.conv2d(X, W, stride, pad)];
      if (part === 'dX')
        return () => [tf.engine().runKernel('Conv2DBackpropInput', { dy: dY, filter: W }, { ...how, inputShape: x })];
      return () => [
        tf.engine().runKernel('Conv2DBackpropFilter', { x: X, dy: dY }, { ...how, filterShape: [R, R, C, O] }),
      ];
    },
    jax: ({ jit, vjp, lax, numpy: np }) => {
      const array = (seed: number, shape: number[]) =>
        np.array(channelsFirst(values(shape, seed), shape)).reshape([shape[0], shape[3], shape[1], shape[2]]);
      const [X, W, dY] = [array(1, x), array(2, w), array(3, dy)];
      const conv = (p: Loose, q: Loose) =>
        lax.convGeneralDilated(
          p,
          q,
          [stride, stride],
          [
            [pad, pad],
            [pad, pad],
          ],
        );
      const f = jit((p: Loose, q: Loose, d: Loose) =>
        part === 'forward' ? conv(p, q) : vjp(conv, [p, q])[1](d)[part === 'dX' ? 0 : 1],
      );
      return () => [f(X.ref, W.ref, dY.ref)];
    },
    small: () =>
      convolution(part, {
        ...s,
        N: 1,
        H: Math.min(H, Math.max(R, H % 2 ? 7 : 8)),
        C: Math.min(C, 68),
        O: Math.min(O, 68),
      }),
  };
}

/** jax-js's own benchmark, which has pictures of 256². */
const ofJax = (H: number): Sizes => ({ N: 1, H, C: 64, O: 128, R: 3, stride: 1, what: 'jax-js' });

const bench = (name: string, part: Part, tfjs: number): Bench => ({
  name,
  goal: { tfjs },
  leavesOut: 'a stage of ResNet-18, five of six convolutions of ResNet-50, and pictures of 224²',
  cases: (full) => {
    const ofResNets = full
      ? [
          ...cifarResNet18(256),
          ...imageNetResNet50(32, 224),
          ...imageNetResNet50(32, 224).map((s) => ({ ...s, half: true })),
        ]
      : [...cifarResNet18(2).filter(({ C }) => C !== 128), ...imageNetResNet50(1, 112).filter((_, i) => i % 6 === 0)];
    return [...ofResNets, ofJax(full ? 256 : 32)].map((s) => convolution(part, s));
  },
});

export const forward = bench('conv2d forward', 'forward', 2);
export const dX = bench('conv2d dX', 'dX', 2);
export const dW = bench('conv2d dW', 'dW', 5);
