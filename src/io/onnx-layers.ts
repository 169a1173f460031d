import { OnnxGraph } from './onnx-graph.js';
import type { StoredTensor } from './safetensors.js';

const EPS = { float: 1e-6 };

/** Layers of transformers and their kin as nodes of one graph, from tensors with PyTorch's names and layouts. */
export class OnnxLayers {
  readonly graph = new OnnxGraph();
  protected readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly #made = new Set<string>(); // names of constants that are used again

  constructor(tensors: ReadonlyMap<string, StoredTensor>) {
    this.tensors = tensors;
  }

  constant(name: string): string {
    const { shape, data } = this.tensors.get(name)!;
    return this.graph.constant(name, shape, data as Float32Array);
  }

  /** A shape, made once; 0 stands for the size that is there, -1 for what is left. */
  shape(...dims: number[]): string {
    return this.#once(`shape ${dims.join(' ')}`, (name) => this.graph.integers(name, [dims.length], dims));
  }

  /** A convolution whose stride is its side, with its bias. */
  patches(x: string, name: string, side: number): string {
    return this.graph.node('Conv', [x, this.constant(`${name}.weight`), this.constant(`${name}.bias`)], {
      kernel_shape: [side, side],
      strides: [side, side],
    });
  }

  /** Layer norm over the last axis, eps 1e-6. */
  norm(x: string, name: string, output?: string): string {
    return this.graph.node(
      'LayerNormalization',
      [x, this.constant(`${name}.weight`), this.constant(`${name}.bias`)],
      { axis: -1, epsilon: EPS },
      output,
    );
  }

  /** x Wᵀ + b */
  linear(x: string, name: string): string {
    const turned = this.graph.node('Transpose', [this.constant(`${name}.weight`)], { perm: [1, 0] });
    return this.graph.node('Add', [this.graph.node('MatMul', [x, turned]), this.constant(`${name}.bias`)]);
  }

  /** x Φ(x) = x / 2 (1 + erf(x / √2)) */
  gelu(x: string): string {
    const { graph } = this;
    const erf = graph.node('Erf', [graph.node('Mul', [x, this.scalar(Math.SQRT1_2)])]);
    return graph.node('Mul', [graph.node('Mul', [x, this.scalar(0.5)]), graph.node('Add', [erf, this.scalar(1)])]);
  }

  scalar(value: number): string {
    return this.#once(`scalar ${value}`, (name) => this.graph.constant(name, [], Float32Array.of(value)));
  }

  number(value: number): string {
    return this.#once(`number ${value}`, (name) => this.graph.integers(name, [], [value]));
  }

  #once(name: string, make: (name: string) => string): string {
    if (!this.#made.has(name)) {
      make(name);
      this.#made.add(name);
    }
    return name;
  }
}
