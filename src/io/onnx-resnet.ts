import { OnnxGraph } from './onnx-graph.js';
import type { StoredTensor } from './safetensors.js';

/** What the tensors of a ResNet do not say. */
export interface OnnxResNet {
  stem: 'imagenet' | 'cifar' | 'small';
  /** Blocks in each stage. */
  blocks: readonly number[];
  bottleneck?: boolean;
}

const EPS = 1e-5;

/**
 * A ResNet without its head as an ONNX model (opset 17), from tensors with torchvision's names and layouts. Batch norm is
 * folded into the convolutions. Input `pixel_values` [batch, 3, height, width], normalised; outputs `last_hidden_state`
 * [batch, features, h, w] and its mean over the picture, `pooler_output` [batch, features].
 */
export function onnxResNet(tensors: ReadonlyMap<string, StoredTensor>, { stem, blocks, bottleneck = false }: OnnxResNet): Uint8Array {
  const graph = new OnnxGraph();
  const conv = (x: string, name: string, norm: string, stride: number) => convolution(graph, tensors, x, name, norm, stride);
  const relu = (x: string) => graph.node('Relu', [x]);

  const block = (x: string, at: string, stride: number): string => {
    const last = bottleneck ? 3 : 2;
    const strided = bottleneck ? 2 : 1; // the convolution that has the stride
    let y = x;
    for (let i = 1; i <= last; i++) {
      y = conv(y, `${at}.conv${i}`, `${at}.bn${i}`, i === strided ? stride : 1);
      if (i < last) y = relu(y);
    }
    const residual = tensors.has(`${at}.downsample.0.weight`) ? conv(x, `${at}.downsample.0`, `${at}.downsample.1`, stride) : x;
    return relu(graph.node('Add', [y, residual]));
  };

  let x = graph.input('pixel_values', ['batch', 3, 'height', 'width']);
  x = relu(conv(x, 'conv1', 'bn1', stem === 'cifar' ? 1 : 2));
  if (stem === 'imagenet') x = graph.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i++) x = block(x, `layer${stage + 1}.${i}`, i === 0 && (stage > 0 || stem === 'small') ? 2 : 1);
  });
  const features = tensors.get(`layer${blocks.length}.0.bn${bottleneck ? 3 : 2}.running_mean`)!.shape[0];
  graph.output(graph.node('Identity', [x], {}, 'last_hidden_state'), ['batch', features, 'h', 'w']);
  graph.output(graph.node('Flatten', [graph.node('GlobalAveragePool', [x])], { axis: 1 }, 'pooler_output'), ['batch', features]);
  return graph.finish('dawngrad');
}

/** bn(W x) = (γ / √(σ² + ε)) W x + (β - γ μ / √(σ² + ε)): a convolution with a bias. */
function convolution(graph: OnnxGraph, tensors: ReadonlyMap<string, StoredTensor>, x: string, name: string, norm: string, stride: number): string {
  const values = (key: string) => tensors.get(key)!.data as Float32Array;
  const { shape, data } = tensors.get(`${name}.weight`)!;
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => values(`${norm}.${part}`));
  const scale = Float64Array.from(gamma, (g, o) => g / Math.sqrt(variance[o] + EPS));
  const size = data.length / shape[0];
  const weight = graph.constant(`${name}.weight`, shape, Float32Array.from(data as Float32Array, (w, i) => w * scale[Math.floor(i / size)]));
  const bias = graph.constant(`${name}.bias`, [shape[0]], Float32Array.from(beta, (b, o) => b - mean[o] * scale[o]));
  const [R, S] = shape.slice(2);
  const [top, left] = [R, S].map((k) => (k - 1) / 2);
  return graph.node('Conv', [x, weight, bias], { kernel_shape: [R, S], strides: [stride, stride], pads: [top, left, top, left] });
}
