import { expect, it } from 'vitest';
import { thumbnail } from '../../src/report/thumbnail.js';

it('thumbnail: means of squares, and small pictures as they are', () => {
  const picture = Uint8Array.from({ length: 2 * 4 * 3 }, (_, i) => 10 * i); // 4 wide, 2 high
  expect(thumbnail(picture, 4, 2, 4)).toEqual({ data: picture, width: 4, height: 2 });
  const mean = (at: number[]) => Math.round(at.reduce((sum, i) => sum + picture[i], 0) / 4);
  const [left, right] = [
    [0, 3, 12, 15],
    [6, 9, 18, 21],
  ].map((at) => [0, 1, 2].map((c) => mean(at.map((i) => i + c))));
  expect(thumbnail(picture, 4, 2, 2)).toEqual({ data: Uint8Array.from([...left, ...right]), width: 2, height: 1 });
  expect(thumbnail(picture.subarray(0, 12), 4, 1, 1)).toMatchObject({ width: 1, height: 1 });
});
