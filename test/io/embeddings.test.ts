import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddingsCsv, projectorFiles } from '../../src/io/embeddings.js';
import { encodeNpy } from '../../src/io/npy.js';

const table = {
  values: Float32Array.of(0.1, -2, 3e-9, 4),
  count: 2,
  size: 2,
  names: ['a/1.png', 'b/"2", x.png'],
  labels: ['a', 'b'],
};

const sprite = { height: 20, width: 30 };

describe('embeddings', () => {
  it('npy: the header is aligned to 64 bytes, the data follow', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 4 }), (shape) => {
        const values = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i / 3);
        const bytes = encodeNpy(values, shape);
        const length = 10 + new DataView(bytes.buffer).getUint16(8, true);
        const header = new TextDecoder('latin1').decode(bytes.subarray(0, length));
        expect(length % 64).toBe(0);
        expect(header).toMatch(
          /^\x93NUMPY\x01\0[^]{2}\{'descr': '<f4', 'fortran_order': False, 'shape': \([^)]*\), \} *\n$/,
        );
        expect(/\((.*)\)/.exec(header)![1]).toBe(shape.length === 1 ? `${shape[0]},` : shape.join(', '));
        expect(new Float32Array(bytes.slice(length).buffer)).toEqual(values);
      }),
    );
  });

  it('CSV: columns, quotes, and values that read back to the bit', () => {
    const [head, first, second] = embeddingsCsv(table).split('\n');
    expect(head).toBe('filenames,embedding_0,embedding_1,labels');
    expect(
      first
        .split(',')
        .slice(1, 3)
        .map((v) => Math.fround(Number(v))),
    ).toEqual([Math.fround(0.1), -2]);
    expect(second).toMatch(/^"b\/""2"", x\.png",.*,b$/);
  });

  it('projector: one line a picture, a head only over two columns', () => {
    expect(projectorFiles(table, sprite).get('metadata.tsv')).toBe('name\tlabel\na/1.png\ta\nb/"2", x.png\tb\n');
    expect(projectorFiles({ ...table, labels: undefined }, sprite).get('metadata.tsv')).toBe('a/1.png\nb/"2", x.png\n');
    expect(projectorFiles(table, sprite).get('projector_config.pbtxt')).toMatch(
      /single_image_dim: 30\n +single_image_dim: 20\n/,
    );
    expect(
      projectorFiles(table, sprite)
        .get('tensors.tsv')!
        .trim()
        .split('\n')
        .map((line) => line.split('\t').length),
    ).toEqual([2, 2]);
  });
});
