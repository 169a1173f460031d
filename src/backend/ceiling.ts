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
  gpu: ({ groups, each, apart }) => ({
    kernel: copy,
    constants: { EACH: each, NEXT: apart ? 256 * groups : 1 },
    params: {},
    groups,
  }),
};

/** [x, y], the vectors of x at least 76. */
export const fmaPrimitive: Primitive<{ groups: number; each: number }> = {
  name: 'ceiling_fma',
  gpu: ({ groups, each }) => ({ kernel: fma, constants: { EACH: each }, params: {}, groups }),
};

/**
 * When a measurement ends: after `rounds` in a row, and `still` milliseconds, in which nothing was faster, and after
 * `most` in any case.
 */
export interface Patience {
  readonly rounds: number;
  readonly still: number;
  readonly most: number;
}

/**
 * Measures the adapter: the best of several sizes of a copy kernel, and of one that only multiplies and adds. Each is
 * repeated until its rate rises no more: the clocks of an idle card take their time to follow its load.
 */
export async function measureCeiling(on: GpuBackend): Promise<Ceiling> {
  check(
    'measureCeiling',
    'the backend',
    on,
    { is: "a GPU's", holds: (v) => v?.kind === 'gpu' && Boolean(v.gpu) },
    'Open one with device().',
  );
  const { software } = on.gpu;
  const patience = software ? { rounds: 4, still: 0, most: 2000 } : { rounds: 8, still: 300, most: 3000 };
  const best = (work: () => void) =>
    fastest(async () => {
      for (let i = 0; i < 4; i++) work();
      on.flush();
      await on.gpu.loss.during(() => on.gpu.device.queue.onSubmittedWorkDone());
    }, patience).then((milliseconds) => milliseconds / 4000);
  const bytes = software ? 2 ** 24 : 2 ** 28;
  const memory = [0, 1].map(() => on.alloc('f32', bytes / 4));
  let moved = 0;
  for (const each of software ? [16, 64] : [2, 4])
    for (const apart of [false, true]) {
      const seconds = await best(() => on.run(copyPrimitive, memory, { groups: bytes / 16 / 256 / each, each, apart }));
      moved = Math.max(moved, (2 * bytes) / seconds);
    }
  const [each, groups] = software ? [2000, 16] : [4000, 2048];
  const seconds = await best(() => on.run(fmaPrimitive, memory, { groups, each }));
  for (const m of memory) on.free(m);
  return { flops: (groups * 64 * each * 12 * 4 * 2) / seconds, bytes: moved };
}

/** What is no more than this part faster is noise. */
const FASTER = 0.99;

/**
 * Milliseconds that `work` takes when it has become as fast as it will: the least of all rounds. The first compiles and
 * does not count.
 */
export async function fastest(work: () => Promise<void>, { rounds, still, most }: Patience): Promise<number> {
  await work();
  const start = performance.now();
  // `best` is where it last rose: small steps add up
  let [least, best, from, since, risen] = [Infinity, Infinity, start, start, 0];
  for (let round = 1; ; round++) {
    await work();
    const now = performance.now();
    least = Math.min(least, now - from);
    if (least < FASTER * best) [best, since, risen] = [least, now, round];
    if (now - start >= most || (round - risen >= rounds && now - since >= still)) return least;
    from = now;
  }
}
