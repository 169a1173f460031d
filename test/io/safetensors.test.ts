import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, DTypeError, FormatError, ShapeError } from '../../src/core/errors.js';
import { decodeSafetensors, encodeSafetensors, type StoredDType, type StoredTensor } from '../../src/io/safetensors.js';
import { STORED_ARRAYS } from '../../src/io/safetensors-types.js';

const shapes: fc.Arbitrary<number[]> = fc.oneof(
  fc.array(fc.nat(4), { maxLength: 4 }),
  fc.constantFrom<number[]>([], [0], [1], [5, 7, 3]),
);

/** A tensor of random bits: every value, NaNs included, must survive. */
const tensor: fc.Arbitrary<StoredTensor> = fc
  .tuple(fc.constantFrom<StoredDType>('F32', 'I64', 'I32', 'U32', 'U8'), shapes)
  .chain(([dtype, shape]) => {
    const bytes = shape.reduce((n, d) => n * d, STORED_ARRAYS[dtype].BYTES_PER_ELEMENT);
    return fc
      .uint8Array({ minLength: bytes, maxLength: bytes })
      .map((u) => ({ dtype, shape, data: new STORED_ARRAYS[dtype](u.slice().buffer) }));
  });

const names = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('encoder.conv1.weight', '__proto__', '10', '2', 'constructor', ''),
  )
  .filter((n) => n !== '__metadata__');
const files = fc.tuple(
  fc.array(fc.tuple(names, tensor), { maxLength: 5 }).map((list) => new Map(list)),
  fc.option(fc.dictionary(fc.string(), fc.string()), { nil: undefined }),
);

const bitsOf = (t: StoredTensor) => [...new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)];

/** A file with this header and data. */
function file(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + text.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  out.set(data, 8 + text.length);
  return out;
}

describe('safetensors', () => {
  it('round-trips every tensor, bit by bit, and the metadata', () => {
    fc.assert(
      fc.property(files, ([tensors, metadata]) => {
        const back = decodeSafetensors(encodeSafetensors(tensors, metadata), 'x');
        expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, t] of tensors) {
          const u = back.tensors.get(name)!;
          expect([u.dtype, u.shape, bitsOf(u)]).toEqual([t.dtype, t.shape, bitsOf(t)]);
        }
        expect(Object.entries(back.metadata)).toEqual(Object.entries(metadata ?? {}));
      }),
    );
  });

  it('aligns the data to 8 bytes and each tensor to its elements', () => {
    fc.assert(
      fc.property(files, ([tensors, metadata]) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
        expect(length % 8).toBe(0);
        const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
          string,
          { data_offsets: number[] }
        >;
        for (const [name, t] of tensors) expect(header[name].data_offsets[0] % t.data.BYTES_PER_ELEMENT).toBe(0);
      }),
    );
  });

  it('reads from the middle of a buffer, and its tensors are copies', () => {
    const bytes = encodeSafetensors(new Map([['a', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]]));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const { tensors } = decodeSafetensors(shifted.subarray(3), 'x');
    shifted.fill(0);
    expect(tensors.get('a')!.data).toEqual(Float32Array.of(1, 2));
  });

  it('widens F16 and BF16 exactly', () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00);
    const f16 = file(`{"h":{"dtype":"F16","shape":[8],"data_offsets":[0,16]}}`, new Uint8Array(halves.buffer));
    expect([...decodeSafetensors(f16, 'x').tensors.get('h')!.data]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      -0,
      Infinity,
      -Infinity,
      NaN,
    ]);
    const brain = Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x7f80);
    const bf16 = file(`{"b":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}`, new Uint8Array(brain.buffer));
    const b = decodeSafetensors(bf16, 'x').tensors.get('b')!;
    expect([b.dtype, b.shape, [...b.data]]).toEqual(['F32', [2, 2], [1, -3.140625, 2 ** -133, Infinity]]);
  });
});

describe('damaged safetensors', () => {
  it('cut at any byte: FormatError', () => {
    fc.assert(
      fc.property(files, fc.nat(), ([tensors, metadata], cut) => {
        const bytes = encodeSafetensors(tensors, metadata);
        expect(() => decodeSafetensors(bytes.subarray(0, cut % bytes.length), 'x')).toThrow(FormatError);
        expect(() => decodeSafetensors(new Uint8Array([...bytes, 0]), 'x')).toThrow(FormatError);
      }),
    );
  });

  it('corrupted bytes: FormatError or a valid file, nothing else', () => {
    const blows = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(files, blows, ([tensors, metadata], hits) => {
        const bytes = encodeSafetensors(tensors, metadata);
        for (const [at, value] of hits) bytes[at % Math.min(bytes.length, 400)] = value;
        try {
          for (const t of decodeSafetensors(bytes, 'x').tensors.values())
            expect(t.data.length).toBe(t.shape.reduce((n, d) => n * d, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a header longer than the file', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), /9 bytes; got 2/],
    ['an absurd header length', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0x7b), /at most 100000000/],
    ['no JSON', file('{"a":'), /JSON/],
    ['a list', file('[]'), /must be a checkpoint/],
    ['bad UTF-8', Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), /UTF-8/],
    [
      'a type that is none',
      file('{"a":{"dtype":"G32","shape":[0],"data_offsets":[0,0]}}'),
      /'a' must be of a type such as F32.*got "G32"/,
    ],
    [
      'a type of the prototype',
      file('{"a":{"dtype":"toString","shape":[0],"data_offsets":[0,0]}}'),
      /must be of a type/,
    ],
    ['a negative size', file('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}'), /shape of 'a'/],
    [
      'a shape too large to count',
      file('{"a":{"dtype":"U8","shape":[9007199254740991,9007199254740991],"data_offsets":[0,4]}}', new Uint8Array(4)),
      /must have .* bytes; got offsets for 4/,
    ],
    ['offsets out of order', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}}'), /offsets of 'a'/],
    [
      'a gap',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', new Uint8Array(2)),
      /without gaps; got 'a' at byte 1/,
    ],
    [
      'an overlap',
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        new Uint8Array(3),
      ),
      /without gaps/,
    ],
    ['metadata of numbers', file('{"__metadata__":{"step":3}}'), /__metadata__ must map strings/],
    ['bytes to spare', file('{}', new Uint8Array(1)), /longer than it should be/],
    [
      'a promise of 4 EB',
      file('{"a":{"dtype":"U8","shape":[4503599627370496],"data_offsets":[0,4503599627370496]}}'),
      /truncated/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'x')).toThrow(FormatError);
    expect(() => decodeSafetensors(bytes, 'x')).toThrow(message);
  });

  it('widens what is narrow, rounds doubles, and skips what it does not read', () => {
    const types = { F64: 8, I16: 2, U16: 2, I8: 1, BOOL: 1, C64: 8, F8_E4M3: 1, U64: 8 };
    let end = 0;
    const header = Object.entries(types).map(([dtype, width]) => [
      dtype,
      { dtype, shape: [1], data_offsets: [end, (end += width)] },
    ]);
    const data = new Uint8Array(end);
    const view = new DataView(data.buffer);
    view.setFloat64(0, 0.1, true);
    view.setInt16(8, -2, true);
    view.setUint16(10, 65535, true);
    data.set([0xfd, 1], 12);
    const { tensors, skipped } = decodeSafetensors(file(JSON.stringify(Object.fromEntries(header)), data), 'x');
    expect([...tensors].map(([name, t]) => [name, t.dtype, ...t.data])).toEqual([
      ['F64', 'F32', Math.fround(0.1)],
      ['I16', 'I32', -2],
      ['U16', 'I32', 65535],
      ['I8', 'I32', -3],
      ['BOOL', 'U8', 1],
    ]);
    expect([...skipped]).toEqual([
      ['C64', 'C64'],
      ['F8_E4M3', 'F8_E4M3'],
      ['U64', 'U64'],
    ]);
  });

  it('refuses to write what could not be read', () => {
    const one = (t: object, name = 'a') => new Map([[name, t as StoredTensor]]);
    expect(() => encodeSafetensors(one({ dtype: 'F32', shape: [3], data: new Float32Array(2) }))).toThrow(ShapeError);
    expect(() => encodeSafetensors(one({ dtype: 'F32', shape: [2], data: new Float64Array(2) }))).toThrow(DTypeError);
    expect(() => encodeSafetensors(one({ dtype: 'F64', shape: [2], data: new Float64Array(2) }))).toThrow(DTypeError);
    expect(() => encodeSafetensors(one({ dtype: 'U8', shape: [0], data: new Uint8Array(0) }, '__metadata__'))).toThrow(
      ConfigError,
    );
  });
});

it('reads a Node Buffer, whose slices share memory, as it reads a plain array', () => {
  const bytes = encodeSafetensors(new Map([['x', { dtype: 'F32', shape: [3], data: Float32Array.of(1, 2, 3) }]]));
  const shifted = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3); // at an odd place of a larger buffer
  expect(decodeSafetensors(shifted, 'x').tensors.get('x')!.data).toEqual(Float32Array.of(1, 2, 3));
});
