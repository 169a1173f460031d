import type { OnnxGraph } from './onnx-graph.js';
import type { StoredTensor } from './safetensors.js';

const EPS = 1e-5;

/**
 * bn(W x) = (γ / √(σ² + ε)) W x + (β - γ μ / √(σ² + ε)): a convolution with a bias, padded so that a stride of 1 keeps
 * the size.
 */
export function onnxConvolution(
  graph: OnnxGraph,
  tensors: ReadonlyMap<string, StoredTensor>,
  x: string,
  name: string,
  norm: string,
  stride: number,
): string {
  const values = (key: string) => tensors.get(key)!.data as Float32Array;
  const { shape, data } = tensors.get(`${name}.weight`)!;
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
    values(`${norm}.${part}`),
  );
  const scale = Float64Array.from(gamma, (g, o) => g / Math.sqrt(variance[o] + EPS));
  const size = data.length / shape[0];
  const weight = graph.constant(
    `${name}.weight`,
    shape,
    (data as Float32Array).map((w, i) => w * scale[Math.floor(i / size)]),
  );
  const bias = graph.constant(
    `${name}.bias`,
    [shape[0]],
    Float32Array.from(beta, (b, o) => b - mean[o] * scale[o]),
  );
  const [R, S] = shape.slice(2);
  const [top, left] = [R, S].map((k) => (k - 1) / 2);
  return graph.node('Conv', [x, weight, bias], {
    kernel_shape: [R, S],
    strides: [stride, stride],
    pads: [top, left, top, left],
  });
}
