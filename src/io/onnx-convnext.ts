import { OnnxLayers } from './onnx-layers.js';
import type { StoredTensor } from './safetensors.js';

/**
 * A ConvNeXt without its head as an ONNX model (opset 17), from tensors with torchvision's names and layouts, with so
 * many blocks in each stage. Input `pixel_values` [batch, 3, height, width], normalised; outputs `last_hidden_state`
 * [batch, features, h, w] and the norm of its mean over the picture, `pooler_output` [batch, features].
 */
export function onnxConvNeXt(
  tensors: ReadonlyMap<string, StoredTensor>,
  { widths, depths }: { widths: readonly number[]; depths: readonly number[] },
): Uint8Array {
  const layers = new OnnxLayers(tensors);
  const { graph } = layers;
  const last = (x: string) => graph.node('Transpose', [x], { perm: [0, 2, 3, 1] }); // channels
  const first = (x: string) => graph.node('Transpose', [x], { perm: [0, 3, 1, 2] });
  const norm = (x: string, name: string) => first(layers.norm(last(x), name));

  const block = (x: string, at: string, width: number): string => {
    const filters = [layers.constant(`${at}.block.0.weight`), layers.constant(`${at}.block.0.bias`)];
    const y = graph.node('Conv', [x, ...filters], { kernel_shape: [7, 7], pads: [3, 3, 3, 3], group: width });
    const inner = layers.gelu(layers.linear(layers.norm(last(y), `${at}.block.2`), `${at}.block.3`));
    const scaled = graph.node('Mul', [
      first(layers.linear(inner, `${at}.block.5`)),
      layers.constant(`${at}.layer_scale`),
    ]);
    return graph.node('Add', [x, scaled]);
  };

  let x = graph.input('pixel_values', ['batch', 3, 'height', 'width']);
  depths.forEach((depth, stage) => {
    const at = `features.${2 * stage}`;
    x =
      stage === 0 ? norm(layers.patches(x, `${at}.0`, 4), `${at}.1`) : layers.patches(norm(x, `${at}.0`), `${at}.1`, 2);
    for (let i = 0; i < depth; i++) x = block(x, `features.${2 * stage + 1}.${i}`, widths[stage]);
  });
  const features = widths.at(-1)!;
  graph.output(graph.node('Identity', [x], {}, 'last_hidden_state'), ['batch', features, 'h', 'w']);
  const mean = graph.node('Flatten', [graph.node('GlobalAveragePool', [x])], { axis: 1 });
  graph.output(layers.norm(mean, 'classifier.0', 'pooler_output'), ['batch', features]);
  return graph.finish('dawngrad');
}
