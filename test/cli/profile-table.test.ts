import { expect, it } from 'vitest';
import { profileTable } from '../../src/cli/profile-table.js';

const dispatch = (kernel: string, microseconds: number, bytes: number, flops = 0) => ({
  op: kernel,
  kernel,
  start: 0,
  microseconds,
  bytes,
  flops,
  groups: 1,
});

it('a figure above the ceiling says why, and no other does', () => {
  const lines = profileTable(
    [
      dispatch('matmul', 1000, 1e6, 6e7),
      dispatch('matrix', 1000, 1e6, 3e8),
      dispatch('copy', 1000, 2 ** 20),
      dispatch('copy', 1000, 2 ** 20),
      dispatch('ema', 1000, 9e5),
    ],
    { flops: 1e11, bytes: 1e9 },
    { planned: 0, live: 0 },
  );
  expect(
    lines.filter((l) => /^ {2}(matmul|matrix|copy|ema) /.test(l)).map((l) => l.trim().split(/ {2,}/).at(-1)),
  ).toEqual(['104.9 %', '100.0 %', '300.0 %', '90.0 %']);
  expect(lines.filter((l) => l.includes(': '))).toEqual([
    'copy, 104.9 %: bindings of 1 MiB a dispatch come from a cache, faster than memory, or are not read whole.',
    'matrix, 300.0 %: the ceiling is of f32 alone; products of f16 on matrix units may be above it.',
    'Ceiling: 1.00 GB/s copied, 100.0 GFLOP/s multiplied and added.',
    'Memory of the step: 0.0 MiB planned, 0.0 MiB alive at once.',
  ]);
});
