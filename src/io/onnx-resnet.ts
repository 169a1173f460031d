import { onnxConvolution } from './onnx-convolution.js';
import { OnnxGraph } from './onnx-graph.js';
import type { StoredTensor } from './safetensors.js';

/** What the tensors of a ResNet do not say. */
export interface OnnxResNet {
  stem: 'imagenet' | 'cifar' | 'small';
  /** Blocks in each stage. */
  blocks: readonly number[];
  bottleneck?: boolean;
}

/**
 * A ResNet without its head as an ONNX model (opset 17), from tensors with torchvision's names and layouts. Batch norm
 * is folded into the convolutions. Input `pixel_values` [batch, 3, height, width], normalised; outputs
 * `last_hidden_state` [batch, features, h, w] and its mean over the picture, `pooler_output` [batch, features].
 */
export function onnxResNet(
  tensors: ReadonlyMap<string, StoredTensor>,
  { stem, blocks, bottleneck = false }: OnnxResNet,
): Uint8Array {
  const graph = new OnnxGraph();
  const conv = (x: string, name: string, norm: string, stride: number) =>
    onnxConvolution(graph, tensors, x, name, norm, stride);
  const relu = (x: string) => graph.node('Relu', [x]);

  const block = (x: string, at: string, stride: number): string => {
    const last = bottleneck ? 3 : 2;
    const strided = bottleneck ? 2 : 1; // the convolution that has the stride
    let y = x;
    for (let i = 1; i <= last; i++) {
      y = conv(y, `${at}.conv${i}`, `${at}.bn${i}`, i === strided ? stride : 1);
      if (i < last) y = relu(y);
    }
    const residual = tensors.has(`${at}.downsample.0.weight`)
      ? conv(x, `${at}.downsample.0`, `${at}.downsample.1`, stride)
      : x;
    return relu(graph.node('Add', [y, residual]));
  };

  let x = graph.input('pixel_values', ['batch', 3, 'height', 'width']);
  x = relu(conv(x, 'conv1', 'bn1', stem === 'cifar' ? 1 : 2));
  if (stem === 'imagenet')
    x = graph.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i++)
      x = block(x, `layer${stage + 1}.${i}`, i === 0 && (stage > 0 || stem === 'small') ? 2 : 1);
  });
  const features = tensors.get(`layer${blocks.length}.0.bn${bottleneck ? 3 : 2}.running_mean`)!.shape[0];
  graph.output(graph.node('Identity', [x], {}, 'last_hidden_state'), ['batch', features, 'h', 'w']);
  graph.output(graph.node('Flatten', [graph.node('GlobalAveragePool', [x])], { axis: 1 }, 'pooler_output'), [
    'batch',
    features,
  ]);
  return graph.finish('dawngrad');
}
