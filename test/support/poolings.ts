import fc from 'fast-check';

const side = fc
  .record({
    size: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    padding: fc.nat(2),
  })
  .filter((s) => 2 * s.padding <= s.kernel && s.size + 2 * s.padding >= s.kernel);

/** Pictures and windows of every size that fit together. */
export const poolings = fc
  .record({ N: fc.nat(2), C: fc.constantFrom(0, 1, 3, 4, 5, 8), h: side, w: side })
  .map(({ N, C, h, w }) => ({
    shape: [N, h.size, w.size, C],
    options: { kernel: [h.kernel, w.kernel], stride: [h.stride, w.stride], padding: [h.padding, w.padding] } as Record<
      'kernel' | 'stride' | 'padding',
      [number, number]
    >,
  }));
