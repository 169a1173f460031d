import { describe, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import { augment } from '../../src/ops/augment.js';
import { AUGMENT_COLUMNS } from '../../src/ops/augment_params.js';
import { tensor } from '../../src/tensor/tensor.js';
import { gpu, on, reference64 } from '../support/devices.js';
import { cases, compare, type Items } from './golden.js';
import { picture } from './values.js';

const { H, W } = cases.picture;
const CODES = { brightness: 1, contrast: 2, saturation: 3, grey: 3, hue: 4 };

/** The picture by one row of the table, for each of the ways in which the file has it. */
async function view(backend: Backend, name: string): Promise<Items> {
  const {
    crop = [0, 0, H, W],
    size = [H, W] as const,
    steps = [],
    sigma = 0,
    solarize = false,
    flip = false,
  } = cases.augment[name];
  const colours = steps.flatMap(([step, factor]) => [CODES[step], factor]);
  const row = [
    ...crop,
    ...colours,
    ...new Array<number>(10 - colours.length).fill(0),
    sigma,
    Number(solarize),
    Number(flip),
  ];
  const y = on(backend, () => {
    const [pictures, index, table] = [
      tensor(picture(H, W), [1, H, W, 3]),
      tensor([0], [1], 'u32'),
      tensor(row, [1, AUGMENT_COLUMNS]),
    ];
    return augment(pictures, index, table, { size, mean: [0, 0, 0], std: [1, 1, 1] });
  });
  const values = await y.data();
  return new Map(
    ['exact', 'pillow', ...(sigma > 0 ? [] : ['torchvision'])].map((way) => [`augment/${name}/${way}`, values]),
  );
}

const only = (way: string) => (item: string) =>
  item.endsWith(way) ? (values: ArrayLike<number>) => values : undefined;

/**
 * `pillow` is Pillow's own result, which has 8 bits after every operation: 3 of 255 off at most, and where the hue is
 * turned, which it does in 8 bits too, 13 (measured 2.7 and 12.7). `torchvision` is that of its operations on floats,
 * whose weights of grey have four digits (measured 1.5e-4). `exact` is Pillow's arithmetic in f64.
 */
describe.each(Object.keys(cases.augment))('augmentation: %s', (name) => {
  const turned = cases.augment[name].steps?.some(([step]) => step === 'hue');
  const blurred = cases.augment[name].sigma !== undefined;

  it.each([
    ['GPU', 1e-6],
    ['reference backend in f64', 1e-7],
  ] as const)('is what Pillow and torchvision compute, on the %s', async (where, error) => {
    const items = await view(where === 'GPU' ? await gpu() : reference64, name);
    compare(`augment/${name}`, items, { error }, only('exact')); // 5.4e-7 on SwiftShader, 4.7e-8 in f64
    compare(`augment/${name}`, items, { error: (turned ? 13 : 3) / 255 }, only('pillow'));
    // its blur is a sampled Gaussian
    if (!blurred) compare(`augment/${name}`, items, { error: 2e-4 }, only('torchvision'));
  });
});
