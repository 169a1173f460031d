import { expect, it } from 'vitest';
import { sheet } from '../../src/report/contact-sheet.js';

const three = Uint8Array.from({ length: 3 * 2 * 1 * 3 }, (_, i) => i + 1); // one wide, two high

it('sheet: pictures row after row, black where there is none', () => {
  const all = sheet(three, { height: 2, width: 1 }, 2);
  expect([all.width, all.height]).toEqual([2, 4]);
  expect([...all.data]).toEqual([1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12, 13, 14, 15, 0, 0, 0, 16, 17, 18, 0, 0, 0]);
  expect(sheet(three, { height: 2, width: 1 }, 3, 3)).toMatchObject({ width: 3, height: 6 });
});
