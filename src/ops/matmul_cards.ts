import tiledSource from '../../kernels/matmul_tiled.wgsl';
import type { Variant } from '../backend/variants.js';
import type { MatmulParams } from '../reference/matmul.js';
import type { MatmulTools, TiledBlock } from './matmul_parts.js';

const why: Record<TiledBlock['name'], string> = {
  'tiled 128×256': 'much work: 47 TFLOP/s at 4096³ on an H200, the probe of this design; the kernel before it 33',
  'tiled 128×128':
    'few tiles, or few registers: 45 TFLOP/s for TN 1536×384×12608 in 7 parts on an H200, a probe of this design',
  'tiled 128×64': '64 columns: 1×1 convolutions of 64 channels and heads; not measured by itself',
  'tiled 64×64':
    'few tiles of 128: 36 TFLOP/s at 1024³ on an H200, the probe of this design; the kernel before it 13 to 19',
  'tiled 32×32': 'little work: 19 TFLOP/s at 512³ on an H200, the best of the probe; the kernel before it 4.1 to 5.7',
};

/** The variants of products for graphics cards. */
export function matmulCards(tools: MatmulTools): readonly Variant<MatmulParams, TiledBlock['name']>[] {
  const { tunedKernels, inBlocks, aT, bT, isAligned, tiledBlocks } = tools;
  const kernels = tunedKernels('matmul_tiled', tiledSource);
  return tiledBlocks.map((b) => {
    const threads = (b.height * b.width) / (16 * b.down * b.right);
    const LOADS = Math.ceil(((b.height + b.width) * b.deep) / 16 / threads);
    const size = {
      HEIGHT: b.height,
      WIDTH: b.width,
      DEEP: b.deep,
      DOWN: b.down,
      RIGHT: b.right,
      ROWS: 4 * b.down,
      LOADS,
    };
    return {
      name: b.name,
      why: why[b.name],
      // software compiles them for seconds
      supports: (_, t) => !t.software,
      ...inBlocks(b, b.height, (p, _, epilogue) => {
        const ALIGNED = Number(isAligned(p, 4));
        const [BIAS, STATS] = [Number(epilogue === 'BIAS'), Number(epilogue === 'STATS')];
        return STATS && !ALIGNED
          ? undefined
          : kernels({ ...size, ALIGNED, TAIL: Number(p.K % b.deep > 0), A_T: aT(p), B_T: bT(p), BIAS, STATS });
      }),
    };
  });
}
