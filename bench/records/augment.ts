import { augment } from '../../src/ops/augment.js';
import { AUGMENT_COLUMNS, mocoV2Augmentation, sampleAugmentation } from '../../src/ops/augment_params.js';
import { state, tensor } from '../../src/tensor/tensor.js';
import type { Bench, Case } from '../record.js';
import { labels } from '../values.js';

/** MoCo v2's views, from pictures that are on the device. */
function views(N: number, side: number, size: number): Case {
  return {
    label: `${N} of ${side}² to ${size}²`,
    bytes: N * 3 * (side * side + 4 * size * size),
    per: { name: 'picture', count: N },
    tolerance: 1e-3,
    ours: () => {
      const pictures = state(tensor(Uint8Array.from(labels(N * side * side * 3, 256)), [N, side, side, 3]));
      const index = state(tensor(Uint32Array.from({ length: N }, (_, i) => i)));
      const draw = sampleAugmentation(mocoV2Augmentation, {
        seed: 1,
        epoch: 0,
        view: 0,
        indices: Array.from({ length: N }, (_, i) => i),
        height: side,
        width: side,
      });
      const table = state(tensor(draw, [N, AUGMENT_COLUMNS]));
      return () => [augment(pictures, index, table, { size, ...mocoV2Augmentation })];
    },
    small: () => views(8, 32, 32),
  };
}

const why = 'has no colour jitter or blur';
export const bench: Bench = {
  name: 'augmentation',
  lacks: { tfjs: `tfjs ${why}`, jax: `jax-js ${why}` },
  cases: (full) => (full ? [views(512, 32, 32), views(256, 256, 224)] : [views(64, 32, 32), views(4, 256, 224)]),
};
