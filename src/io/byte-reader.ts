import { FormatError } from '../core/errors.js';

/** Reads little-endian values one after another. Nothing is allocated before the bytes are known to be there. */
export class ByteReader {
  at = 0;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;

  /** @param name the file's, for messages. */
  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  /** For a file that is cut or contradicts itself. @throws FormatError always. */
  fail(what: string): never {
    const where = this.at > 0 ? ` before byte ${this.at}` : '';
    throw new FormatError(`${this.#name}: ${what}${where}. The file is damaged: get it again.`);
  }

  /** For a file that is whole and holds what is not read. @throws FormatError always. */
  refuse(what: string, advice: string): never {
    throw new FormatError(`${this.#name}: ${what}. ${advice}`);
  }

  /** The next `count` bytes, in place. */
  take(count: number): Uint8Array {
    return this.bytes.subarray(this.#skip(count), this.at);
  }

  u8 = (): number => this.bytes[this.#skip(1)];
  u16 = (): number => this.#view.getUint16(this.#skip(2), true);
  u32 = (): number => this.#view.getUint32(this.#skip(4), true);
  i32 = (): number => this.#view.getInt32(this.#skip(4), true);
  /** Big-endian, as pickle has it. */
  f64 = (): number => this.#view.getFloat64(this.#skip(8));

  /** @throws FormatError where the number is no safe integer: no size or offset is. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#skip(8), true);
    return value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : this.fail(`a size must be below 2^53; got ${value}`);
  }

  /** A two's complement integer of `width` bytes, as a number where it fits. */
  integer(width: number): number | bigint {
    let value = 0n;
    this.take(width).forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)));
    value = BigInt.asIntN(8 * width, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** UTF-8; bytes that are none are replaced. */
  text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }

  /** Text up to a newline. */
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.fail('a line must end; got the end of the file');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  #skip(count: number): number {
    const left = this.bytes.length - this.at;
    if (count > left) this.fail(`${count} more bytes must follow; got ${left}`);
    this.at += count;
    return this.at - count;
  }
}
