import { ProtoWriter } from './protobuf.js';

/** A dimension: a size, or the name of one that is not fixed. */
export type OnnxDim = number | string;
type Attribute = number | readonly number[] | { float: number };

export const OPSET = 17;
const IR_VERSION = 8; // the format that opset 17 came with
const [FLOAT, INT64] = [1, 7];
const [ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS] = [1, 2, 7];

/** An ONNX graph in f32, made node by node; the field numbers are those of onnx.proto. Values go by their names. */
export class OnnxGraph {
  readonly #graph = new ProtoWriter();
  #nodes = 0;

  /** A graph's input. Inputs, constants and nodes may be added in any order that uses a value after it is made. */
  input(name: string, shape: readonly OnnxDim[]): string {
    this.#graph.message(11, (value) => valueInfo(value, name, shape));
    return name;
  }

  output(name: string, shape: readonly OnnxDim[]): void {
    this.#graph.message(12, (value) => valueInfo(value, name, shape));
  }

  /** Values known beforehand, f32. */
  constant(name: string, shape: readonly number[], data: Float32Array): string {
    return this.#constant(name, shape, FLOAT, data);
  }

  /** Whole numbers known beforehand, such as a shape. */
  integers(name: string, shape: readonly number[], data: readonly number[]): string {
    return this.#constant(name, shape, INT64, BigInt64Array.from(data, BigInt));
  }

  #constant(
    name: string,
    shape: readonly number[],
    type: number,
    { buffer, byteOffset, byteLength }: Float32Array | BigInt64Array,
  ): string {
    this.#graph.message(5, (t) => {
      for (const d of shape) t.int(1, d);
      t.int(2, type)
        .text(8, name)
        .bytes(9, new Uint8Array(buffer, byteOffset, byteLength));
    });
    return name;
  }

  /** One operator; returns the name of its output. Attributes are whole numbers, lists of them, or floats. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    output = `${type}_${this.#nodes}`,
  ): string {
    this.#nodes++;
    this.#graph.message(1, (n) => {
      for (const input of inputs) n.text(1, input);
      n.text(2, output).text(3, output).text(4, type);
      for (const [name, value] of Object.entries(attributes)) n.message(5, (a) => attribute(a, name, value));
    });
    return output;
  }

  /** The model as the bytes of an .onnx file. */
  finish(producer: string): Uint8Array {
    const model = new ProtoWriter().int(1, IR_VERSION).text(2, producer);
    return model
      .bytes(7, this.#graph.text(2, 'encoder').finish())
      .message(8, (set) => set.text(1, '').int(2, OPSET))
      .finish();
  }
}

function attribute(a: ProtoWriter, name: string, value: Attribute): void {
  a.text(1, name);
  if (typeof value === 'number') a.int(3, value).int(20, ATTRIBUTE_INT);
  else if ('float' in value) a.float(2, value.float).int(20, ATTRIBUTE_FLOAT);
  else {
    for (const v of value) a.int(8, v);
    a.int(20, ATTRIBUTE_INTS);
  }
}

function valueInfo(value: ProtoWriter, name: string, shape: readonly OnnxDim[]): void {
  value.text(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, FLOAT).message(2, (dims) => {
        for (const d of shape) dims.message(1, (dim) => (typeof d === 'number' ? dim.int(1, d) : dim.text(2, d)));
      }),
    ),
  );
}
