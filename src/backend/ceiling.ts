import copySource from '../../kernels/ceiling_copy.wgsl';
import fmaSource from '../../kernels/ceiling_fma.wgsl';
import { check } from '../core/check.js';
import { kernel } from '../gpu/kernel.js';
import type { Primitive } from './backend.js';
import type { GpuBackend } from './gpu.js';

/** What an adapter can do at most, as simple kernels reach it. */
export interface Ceiling {
  /** Floating-point operations a second; a fused multiplication and addition is two. */
  readonly flops: number;
  /** Bytes read and written a second. */
  readonly bytes: number;
}

const [copy, fma] = [kernel('ceiling_copy', copySource), kernel('ceiling_fma', fmaSource)];

/** [x, y]. `apart`: see NEXT in the kernel; each thread copies `each` vectors. */
export const copyPrimitive: Primitive<{ groups: number; each: number; apart: boolean }> = {
  name: 'ceiling_copy',
  gpu: ({ groups, each, apart }) => ({ kernel: copy, constants: { EACH: each, NEXT: apart ? 256 * groups : 1 }, params: {}, groups }),
};

/** [x, y], the vectors of x at least 76. */
export const fmaPrimitive: Primitive<{ groups: number; each: number }> = {
  name: 'ceiling_fma',
  gpu: ({ groups, each }) => ({ kernel: fma, constants: { EACH: each }, params: {}, groups }),
};

/** Measures the adapter: the best of several sizes and rounds of a copy kernel, and of one that only multiplies and adds. */
export async function measureCeiling(on: GpuBackend): Promise<Ceiling> {
  check('measureCeiling', 'the backend', on, { is: "a GPU's", holds: (v) => v?.kind === 'gpu' && Boolean(v.gpu) }, 'Open one with device().');
  const { software } = on.gpu;
  const bytes = software ? 2 ** 24 : 2 ** 28;
  const memory = [0, 1].map(() => on.alloc('f32', bytes / 4));
  let moved = 0;
  for (const each of software ? [16, 64] : [2, 4])
    for (const apart of [false, true]) {
      const seconds = await fastest(on, () => on.run(copyPrimitive, memory, { groups: bytes / 16 / 256 / each, each, apart }));
      moved = Math.max(moved, (2 * bytes) / seconds);
    }
  const [each, groups] = software ? [2000, 16] : [4000, 2048];
  const seconds = await fastest(on, () => on.run(fmaPrimitive, memory, { groups, each }));
  for (const m of memory) on.free(m);
  return { flops: (groups * 64 * each * 12 * 4 * 2) / seconds, bytes: moved };
}

/** Seconds a run, of the fastest of seven rounds of four. */
async function fastest(on: GpuBackend, work: () => void): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 4; i++) work();
    const from = performance.now();
    on.flush();
    await on.gpu.device.queue.onSubmittedWorkDone();
    if (round > 0) least = Math.min(least, (performance.now() - from) / 1000 / 4);
  }
  return least;
}
