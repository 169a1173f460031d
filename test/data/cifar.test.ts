import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.js';
import { parseCifar10 } from '../../src/data/cifar.js';
import { batch } from './files.js';

describe('parseCifar10', () => {
  it('turns planes into pixels', () => {
    const p = parseCifar10(batch(3), 'b.bin');
    expect(p).toMatchObject({ count: 3, height: 32, width: 32, skipped: [] });
    expect([...p.labels!]).toEqual([0, 1, 2]);
    expect([p.classes![0], p.classes![9], p.names[2]]).toEqual(['airplane', 'truck', 'b.bin#2']);
    fc.assert(
      fc.property(fc.nat(2), fc.nat(1023), fc.nat(2), (n, i, c) => {
        expect(p.data[n * 3072 + 3 * i + c]).toBe(((i + 1024 * c) * 7 + c * 31 + n) & 255);
      }),
    );
  });

  it('refuses any size that is no multiple of 3073, with the numbers', () => {
    const whole = batch(2);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 * 3073 - 1 }).filter((n) => n !== 3073),
        (length) => {
          expect(() => parseCifar10(whole.subarray(0, length), 'b.bin')).toThrow(FormatError);
        },
      ),
    );
    expect(() => parseCifar10(whole.subarray(0, 3100), 'b.bin')).toThrow(
      /b\.bin: .*3073 bytes; got 3100 bytes, 1 records and a remainder of 27.*truncated/,
    );
  });

  it('names the record of an impossible label', () => {
    const bytes = batch(3);
    bytes[2 * 3073] = 10;
    expect(() => parseCifar10(bytes, 'b.bin')).toThrow(/label byte must lie in \[0, 9\]; got 10 in record 2/);
  });
});
