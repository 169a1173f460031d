import {
  anyNumber,
  anything,
  atLeast0,
  checkOptions,
  finite,
  flag,
  isRecord,
  listOf,
  needed,
  type Rule,
  upTo1,
  whole,
} from '../core/check.js';
import { ConfigError } from '../core/errors.js';
import { Rng, streamOf } from '../core/rng.js';

/** Random views of pictures. What is left out is never applied; a probability of 0 turns its part off. */
export interface Augmentation {
  /** Area of the crop as a part of the picture's, and its width over its height. */
  scale: readonly [number, number];
  ratio: readonly [number, number];
  /** Probability of flipping left and right. */
  flip: number;
  /** Factors are uniform in [max(0, 1 - a), 1 + a], hue turns in [-hue, hue] of the circle; the order is random. */
  jitter?: { probability: number; brightness: number; contrast: number; saturation: number; hue: number };
  /** Probability of becoming grey, after the jitter unless `grayscaleFirst`. */
  grayscale?: number;
  grayscaleFirst?: boolean;
  /** Gaussian blur as Pillow's, `GaussianBlur(radius=sigma)`; sigma in pixels of the output, 10 at most. */
  blur?: { probability: number; sigma: readonly [number, number] };
  /** Probability of solarizing: v becomes min(v, 1 - v). */
  solarize?: number;
  /** Of each channel in [0, 1], for normalising. */
  mean: readonly number[];
  std: readonly number[];
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/**
 * Crops of at least a part `smallest` of a picture, resized and flipped at random, as torchvision's RandomResizedCrop
 * and flip.
 */
export const crops = (smallest: number): Pick<Augmentation, 'scale' | 'ratio' | 'flip'> => ({
  scale: [smallest, 1],
  ratio: [3 / 4, 4 / 3],
  flip: 0.5,
});
const jitter = (probability: number, hue: number, saturation = 0.4) => ({
  probability,
  brightness: 0.4,
  contrast: 0.4,
  saturation,
  hue,
});

/** Colour changes as often, `s` times as strong (SimCLR's s, arXiv:2002.05709, appendix A). */
export const colourChanges = (jitter: NonNullable<Augmentation['jitter']>, s: number): Augmentation['jitter'] => ({
  probability: jitter.probability,
  brightness: s * jitter.brightness,
  contrast: s * jitter.contrast,
  saturation: s * jitter.saturation,
  hue: s * jitter.hue,
});

/** MoCo v1 (facebookresearch/moco, main_moco.py): grey before a jitter that is always on, no blur. */
export const mocoV1Augmentation: Augmentation = {
  ...crops(0.2),
  grayscale: 0.2,
  grayscaleFirst: true,
  jitter: jitter(1, 0.4),
  ...IMAGENET,
};

/** MoCo v2 (the same, --aug-plus). */
export const mocoV2Augmentation: Augmentation = {
  ...crops(0.2),
  jitter: jitter(0.8, 0.1),
  grayscale: 0.2,
  blur: { probability: 0.5, sigma: [0.1, 2] },
  ...IMAGENET,
};

const v3 = (blur: number): Augmentation => ({
  ...mocoV2Augmentation,
  jitter: jitter(0.8, 0.1, 0.2),
  blur: { probability: blur, sigma: [0.1, 2] },
});

/**
 * MoCo v3's two views, which differ (facebookresearch/moco-v3, main_moco.py; its ViTs crop from a scale of 0.08 on).
 */
export const mocoV3Augmentations: readonly [Augmentation, Augmentation] = [v3(1), { ...v3(0.1), solarize: 0.2 }];

/** MoCo's CIFAR-10 demonstration. */
export const cifarAugmentation: Augmentation = {
  ...crops(0.08),
  jitter: jitter(0.8, 0.1),
  grayscale: 0.2,
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.2023, 0.1994, 0.201],
};

/** Which random numbers: the same four always give the same view of a picture, wherever it stands in a batch. */
export interface Draw {
  seed: number;
  epoch: number;
  /** 0 for the query's view, 1 for the key's; 15 at most. */
  view: number;
  /**
   * Numbers of the pictures in the data set, which all measure height × width; or `places` [N, 3] has the first pixel,
   * height and width of each.
   */
  indices: ArrayLike<number>;
  height: number;
  width: number;
  places?: ArrayLike<number>;
}

/**
 * Numbers a row of the table: top, left, height and width of the crop; five colour steps as pairs of a code and a
 * factor; sigma of the blur, 0 for none; whether to solarize; whether to flip.
 */
export const AUGMENT_COLUMNS = 17;

/** Codes of colour steps. Grey is saturation by a factor of 0. At most one step of a row is contrast. */
const STEP = { none: 0, brightness: 1, contrast: 2, saturation: 3, hue: 4 } as const;

type Step = [code: number, factor: number];

const share = finite(' in (0, 1]', (v) => v > 0 && v <= 1);
const positive = finite(' above 0', (v) => v > 0);
const views = {
  scale: needed(listOf(share, 2)),
  ratio: needed(listOf(positive, 2)),
  flip: needed(upTo1),
  jitter: anything,
  grayscale: upTo1,
  grayscaleFirst: flag,
  blur: anything,
  solarize: upTo1,
  mean: anything,
  std: anything,
};
/** Names of all parts of an `Augmentation`. */
export const viewParts = Object.keys(views);
const jitters = {
  probability: needed(upTo1),
  brightness: needed(atLeast0),
  contrast: needed(atLeast0),
  saturation: needed(atLeast0),
  hue: needed(finite(' in [0, 0.5]', (v) => v >= 0 && v <= 0.5)),
};
const isSigma = (v: unknown): boolean =>
  listOf(anyNumber, 2).holds(v) && (([low, high]: number[]) => low >= 0 && low <= high && high <= 10)(v as number[]);
const blurs = { probability: needed(upTo1), sigma: needed({ is: 'a range in [0, 10] pixels', holds: isSigma }) };
const wholes: Rule = {
  is: 'a list of whole numbers, at least 0',
  holds: (v) =>
    (Array.isArray(v) || ArrayBuffer.isView(v)) && Array.from(v as unknown as number[]).every(whole(0).holds),
};
const draws = {
  seed: needed(whole(-Number.MAX_SAFE_INTEGER)),
  epoch: needed(whole(0)),
  view: needed(whole(0, 15)),
  height: needed(whole(1)),
  width: needed(whole(1)),
  indices: needed(wholes),
  places: wholes,
};

/** Where `places` has sizes, these may be anything. */
const placed = { ...draws, height: anything, width: anything };

/** Draws how each picture is to be augmented, as the table [N, 17] that `augment` reads. */
export function sampleAugmentation(augmentation: Augmentation, draw: Draw): Float32Array {
  checkOptions('sampleAugmentation', augmentation, views);
  if (augmentation.jitter !== undefined) checkOptions('sampleAugmentation: jitter', augmentation.jitter, jitters);
  if (augmentation.blur !== undefined) checkOptions('sampleAugmentation: blur', augmentation.blur, blurs);
  checkOptions('sampleAugmentation: draw', draw, isRecord(draw) && draw.places !== undefined ? placed : draws);
  const { seed, epoch, view, indices, height, width, places } = draw;
  if (places && places.length !== 3 * indices.length)
    throw new ConfigError(
      `sampleAugmentation: draw: places must be three numbers for each of ${indices.length} pictures; ` +
        `got ${places.length}. Correct them.`,
    );
  const table = new Float32Array(indices.length * AUGMENT_COLUMNS);
  for (let i = 0; i < indices.length; i++) {
    const rng = new Rng(seed ^ streamOf('augment'), epoch * 16 + view, indices[i]);
    table.set(
      drawRow(augmentation, rng, places?.[3 * i + 1] ?? height, places?.[3 * i + 2] ?? width),
      i * AUGMENT_COLUMNS,
    );
  }
  return table;
}

/** The table that leaves `count` pictures as they are. */
export function wholePictures(count: number, height: number, width: number): Float32Array {
  return cropTable(count, () => [0, 0, height, width]);
}

/** The table that takes the `box` (top, left, height, width) of each of `count` pictures and does nothing else. */
export function cropTable(count: number, box: (i: number) => readonly number[]): Float32Array {
  const table = new Float32Array(count * AUGMENT_COLUMNS);
  for (let i = 0; i < count; i++) table.set(box(i), i * AUGMENT_COLUMNS);
  return table;
}

const happens = (rng: Rng, probability = 0): boolean => rng.uniform() < probability;

function drawRow(a: Augmentation, rng: Rng, height: number, width: number): number[] {
  const box = drawCrop(a, rng, height, width);
  const jitter = happens(rng, a.jitter?.probability) ? drawJitter(a.jitter!, rng) : [];
  const grey: Step[] = happens(rng, a.grayscale) ? [[STEP.saturation, 0]] : [];
  const steps = a.grayscaleFirst ? [...grey, ...jitter] : [...jitter, ...grey];
  while (steps.length < 5) steps.push([STEP.none, 0]);
  const sigma = happens(rng, a.blur?.probability) ? rng.uniform(...a.blur!.sigma) : 0;
  const solarize = happens(rng, a.solarize);
  return [...box, ...steps.flat(), sigma, Number(solarize), Number(happens(rng, a.flip))];
}

/** torchvision's RandomResizedCrop: ten tries at a box of random area and ratio, else the largest in the middle. */
function drawCrop({ scale, ratio }: Augmentation, rng: Rng, H: number, W: number): number[] {
  for (let tries = 0; tries < 10; tries++) {
    const area = H * W * rng.uniform(...scale);
    const aspect = Math.exp(rng.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const [h, w] = [Math.round(Math.sqrt(area / aspect)), Math.round(Math.sqrt(area * aspect))];
    if (h > 0 && h <= H && w > 0 && w <= W) return [rng.below(H - h + 1), rng.below(W - w + 1), h, w];
  }
  const h = Math.min(H, Math.round(W / ratio[0])); // a picture too tall loses height,
  const w = Math.min(W, Math.round(H * ratio[1])); // one too wide loses width
  return [Math.floor((H - h) / 2), Math.floor((W - w) / 2), h, w];
}

/** Those of the four steps that have a strength, in random order. */
function drawJitter(strength: NonNullable<Augmentation['jitter']>, rng: Rng): Step[] {
  const order = rng.permutation(4);
  const around = (a: number) => rng.uniform(Math.max(0, 1 - a), 1 + a);
  const steps = (['brightness', 'contrast', 'saturation'] as const).map(
    (name): Step => [strength[name] > 0 ? STEP[name] : STEP.none, around(strength[name])],
  );
  steps.push([strength.hue > 0 ? STEP.hue : STEP.none, rng.uniform(-strength.hue, strength.hue)]);
  return Array.from(order, (i) => steps[i]);
}
