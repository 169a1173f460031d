import { onnxConvolution } from './onnx-convolution.js';
import { OnnxLayers } from './onnx-layers.js';
import type { StoredTensor } from './safetensors.js';

/** What the graph of a vision transformer depends on besides its tensors. */
export interface OnnxVit {
  width: number;
  depth: number;
  heads: number;
  patch: number;
  /** Pixels of a picture's side, fixed by the positions. */
  size: number;
  stem: 'patch' | 'conv';
}

/**
 * A vision transformer without its head as an ONNX model (opset 17), from tensors with timm's names and layouts. Input
 * `pixel_values` [batch, 3, size, size], normalised; outputs `last_hidden_state` [batch, tokens, width] after the last
 * norm, and its class token, `pooler_output` [batch, width].
 */
export function onnxVit(tensors: ReadonlyMap<string, StoredTensor>, options: OnnxVit): Uint8Array {
  const { width, depth, size, patch } = options;
  const parts = new Parts(tensors, options);
  const { graph } = parts;
  const pixels = graph.input('pixel_values', ['batch', 3, size, size]);
  const grid = parts.stem(pixels); // N × width × h × w
  const patches = graph.node('Transpose', [graph.node('Reshape', [grid, parts.shape(0, width, -1)])], {
    perm: [0, 2, 1],
  });
  const batch = graph.node('Shape', [pixels], { end: 1 });
  const token = graph.node('Expand', [
    parts.constant('cls_token'),
    graph.node('Concat', [batch, parts.shape(1, width)], { axis: 0 }),
  ]);
  let x = graph.node('Add', [graph.node('Concat', [token, patches], { axis: 1 }), parts.constant('pos_embed')]);
  for (let i = 0; i < depth; i++) x = parts.block(x, `blocks.${i}`);
  const tokens = (size / patch) ** 2 + 1;
  graph.output(parts.norm(x, 'norm', 'last_hidden_state'), ['batch', tokens, width]);
  graph.output(graph.node('Gather', ['last_hidden_state', parts.number(0)], { axis: 1 }, 'pooler_output'), [
    'batch',
    width,
  ]);
  return graph.finish('dawngrad');
}

/** Its parts as nodes of one graph. */
class Parts extends OnnxLayers {
  readonly #options: OnnxVit;

  constructor(tensors: ReadonlyMap<string, StoredTensor>, options: OnnxVit) {
    super(tensors);
    this.#options = options;
  }

  /** The patches' projection, or the convolutions that stand for it. */
  stem(x: string): string {
    const { stem, patch } = this.#options;
    const at = 'patch_embed.proj';
    if (stem === 'patch') return this.patches(x, at, patch);
    const count = Math.log2(patch);
    for (let i = 0; i < count; i++)
      x = this.graph.node('Relu', [
        onnxConvolution(this.graph, this.tensors, x, `${at}.${3 * i}`, `${at}.${3 * i + 1}`, 2),
      ]);
    return this.patches(x, `${at}.${3 * count}`, 1);
  }

  /** x + attention(norm(x)), then x + mlp(norm(x)). */
  block(x: string, at: string): string {
    const y = this.graph.node('Add', [x, this.#attention(this.norm(x, `${at}.norm1`), `${at}.attn`)]);
    const inner = this.gelu(this.linear(this.norm(y, `${at}.norm2`), `${at}.mlp.fc1`));
    return this.graph.node('Add', [y, this.linear(inner, `${at}.mlp.fc2`)]);
  }

  #attention(x: string, at: string): string {
    const { graph } = this;
    const { width, heads } = this.#options;
    const D = width / heads;
    const qkv = graph.node(
      'Transpose',
      [graph.node('Reshape', [this.linear(x, `${at}.qkv`), this.shape(0, 0, 3, heads, D)])],
      { perm: [2, 0, 3, 1, 4] },
    );
    // N × heads × tokens × D
    const [q, k, v] = [0, 1, 2].map((i) => graph.node('Gather', [qkv, this.number(i)], { axis: 0 }));
    const scores = graph.node('MatMul', [q, graph.node('Transpose', [k], { perm: [0, 1, 3, 2] })]);
    const weights = graph.node('Softmax', [graph.node('Mul', [scores, this.scalar(D ** -0.5)])], { axis: -1 });
    const y = graph.node('Transpose', [graph.node('MatMul', [weights, v])], { perm: [0, 2, 1, 3] });
    return this.linear(graph.node('Reshape', [y, this.shape(0, 0, width)]), `${at}.proj`);
  }
}
