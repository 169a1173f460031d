import { joinBytes } from './bytes.js';

/** Writes protocol buffers (protobuf.dev/programming-guides/encoding): fields one after another, by their numbers. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** A field of whole numbers: int32, int64, enum. Numbers below 0 take ten bytes. */
  int(field: number, value: number | bigint): this {
    return this.#varint(field << 3).#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): this {
    return this.#varint((field << 3) | 5).#put(new Uint8Array(new Float32Array([value]).buffer));
  }

  double(field: number, value: number): this {
    return this.#varint((field << 3) | 1).#put(new Uint8Array(new Float64Array([value]).buffer));
  }

  /** Doubles one after another, without a tag each. */
  doubles(field: number, values: readonly number[]): this {
    return this.bytes(field, new Uint8Array(Float64Array.from(values).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#varint((field << 3) | 2)
      .#varint(value.length)
      .#put(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** A message inside this one. */
  message(field: number, write: (inner: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    this.#varint((field << 3) | 2).#varint(inner.#length);
    for (const part of inner.#parts) this.#put(part);
    return this;
  }

  finish(): Uint8Array {
    return joinBytes(this.#parts);
  }

  #put(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** Seven bits a byte, the lowest first. */
  #varint(value: number | bigint): this {
    const bytes: number[] = [];
    let rest = BigInt(value);
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return this.#put(Uint8Array.of(...bytes, Number(rest)));
  }
}
