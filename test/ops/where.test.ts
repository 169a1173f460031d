import fc from 'fast-check';
import { describe, it } from 'vitest';
import { where } from '../../src/ops/where.js';
import { checkOp, uglySize } from '../support/op.js';

const shapes = fc.record({ rows: uglySize, columns: uglySize, flat: fc.constantFrom('condition', 'a', 'b', 'none') });

describe('where', () => {
  it('GPU = mirror, gradients, broadcasting', () =>
    checkOp(shapes, ({ rows, columns, flat }) => {
      const shape = (name: string) => (name === flat ? [columns] : [rows, columns]);
      return {
        inputs: [
          { shape: shape('condition'), grad: false, values: (r) => r.below(2) },
          { shape: shape('a') },
          { shape: shape('b') },
        ],
        f: where,
      };
    }));
});
